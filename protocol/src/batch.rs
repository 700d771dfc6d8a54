//! A batch: the transactions that lead on from one head.

mod decode;

use serde::{Deserialize, Serialize};

use crate::files::{FileContent, FileKind};
use crate::head::Head;
use crate::transaction::Transaction;

/// Transactions in order, and where they start. Those that break a rule are rejected when the
/// batch is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The chain that the transactions are bound to.
    #[serde(with = "crate::text::element")]
    pub chain_id: u64,
    /// The head before the first transaction.
    pub before: Head,
    /// When it is executed, in seconds: the time of every head after a transaction of it. Not
    /// before the head's, and less than 2^32 seconds after it.
    #[serde(with = "crate::text::integer")]
    pub time: u64,
    /// What to execute, in this order.
    pub transactions: Vec<Transaction>,
}

impl FileContent for Batch {
    const KIND: FileKind = FileKind::Batch;
    const VERSION: u16 = 2;
    /// About two million transfers in binary, 700,000 in JSON.
    const MAX_BYTES: u64 = 1 << 29;

    fn decode_fast(payload: &[u8]) -> Option<Self> {
        decode::decode(payload)
    }
}
