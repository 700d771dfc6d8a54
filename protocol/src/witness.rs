//! What the prover of one shard needs, and nothing of the rest of the state.

use serde::{Deserialize, Serialize};

use crate::files::{FileContent, FileKind};
use crate::hash::Digest;
use crate::head::Statement;
use crate::record::{Index, Record};
use crate::shape::Shape;
use crate::transaction::Transaction;

/// One shard: a run of consecutive valid transactions and the part of the state that they
/// touch. Self-contained, so that another machine can prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardWitness {
    /// The heights to prove it with.
    pub shape: Shape,
    /// What is to be proven.
    pub statement: Statement,
    /// The transactions in order, at least one.
    pub transactions: Vec<Transaction>,
    /// Every record that they touch, vaults that earn a fee included, as it is before the first of them, by ascending index.
    pub records: Vec<(Index, Record)>,
    /// The digests beside the paths from these records to the root, level by level from the
    /// leaves up and by ascending index within a level, leaving out those that are on a path.
    #[serde(with = "crate::text::digests")]
    pub siblings: Vec<Digest>,
}

impl FileContent for ShardWitness {
    const KIND: FileKind = FileKind::Witness;
    const VERSION: u16 = 3;
    /// The largest shape with every sibling takes some 35 MB (estimate).
    const MAX_BYTES: u64 = 1 << 26;
}
