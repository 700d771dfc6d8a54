//! Where the ledger stands, and the batches that led there.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files::{self, FileError};
use shardfold_protocol::head::Head;

/// Bytes of a batch's digest.
pub(crate) const BATCH_DIGEST_BYTES: usize = 32;

/// What there is one of in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// The chain that transactions must be bound to.
    pub chain_id: u64,
    /// The head with which the state was imported.
    pub imported: Head,
    /// The head after the last batch.
    pub head: Head,
}

/// SHA-256 of a batch file in its binary form: what tells batches apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchDigest(pub [u8; BATCH_DIGEST_BYTES]);

impl BatchDigest {
    /// Returns the digest of a batch, in whichever form its file is.
    ///
    /// # Errors
    /// A batch that is too large for a file.
    pub fn of(batch: &Batch) -> Result<Self, FileError> {
        let bytes = files::to_binary(batch)?;
        Ok(Self(Sha256::digest(&bytes).into()))
    }
}

impl Display for BatchDigest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A batch that is part of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The digest of the batch.
    pub batch: BatchDigest,
    /// The head at which it started.
    pub before: Head,
    /// The head after it.
    pub after: Head,
    /// What became of its transactions.
    pub counts: Counts,
}

/// What became of the transactions of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many are part of the ledger.
    pub accepted: u64,
    /// How many were rejected.
    pub rejected: u64,
}
