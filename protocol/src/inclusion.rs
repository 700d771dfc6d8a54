//! A record proof as a file, with the head that it is for.

use serde::{Deserialize, Serialize};

use crate::files::{FileContent, FileKind};
use crate::head::Head;
use crate::tree::RecordProof;

/// That a record is part of the state of a head. Its reader must know the head from
/// elsewhere: a validity proof's, say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// The chain of the ledger.
    #[serde(with = "crate::text::element")]
    pub chain_id: u64,
    /// The head.
    pub head: Head,
    /// The record and its path to the head's state root.
    pub proof: RecordProof,
}

impl FileContent for Inclusion {
    const KIND: FileKind = FileKind::Inclusion;
    const VERSION: u16 = 2;
    /// About 1.3 KB in binary, 5 KB in JSON.
    const MAX_BYTES: u64 = 1 << 16;
}
