//! The state tree: a binary Merkle tree of depth 32 over records, most of them empty.
//!
//! A leaf is the digest of a record, an inner node the compression of its two children. Level
//! 0 holds the leaves, level 32 the root; node `i` of a level is the parent of nodes `2i` and
//! `2i + 1` of the level below.

mod paths;
#[cfg(test)]
mod tests;

pub use paths::{WitnessPathError, nodes_apart, root_from, touched_nodes};

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::hash::{Digest, ZERO_DIGEST, compress, compress_many, concat};
use crate::record::{Index, Record};

/// Levels above the leaves: an index has 32 bits.
pub const DEPTH: usize = 32;

/// The digest of a subtree without records, by level.
static EMPTY_SUBTREES: LazyLock<[Digest; DEPTH + 1]> = LazyLock::new(|| {
    let mut digests = [ZERO_DIGEST; DEPTH + 1];
    digests[0] = Record::EMPTY.digest();
    for level in 0..DEPTH {
        digests[level + 1] = compress(&digests[level], &digests[level]);
    }
    digests
});

/// The digest of a subtree without records whose top is at this level (at most [`DEPTH`]).
pub fn empty_subtree(level: usize) -> Digest {
    EMPTY_SUBTREES[level]
}

/// All records of the ledger and the digests above them.
///
/// What is empty is not stored: a record only where there is one, a node only where its
/// digest differs from that of an empty subtree.
#[derive(Clone, Debug)]
pub struct StateTree {
    records: HashMap<Index, Record>,
    /// By level from the leaves up to the root, then by index in the level.
    levels: [HashMap<Index, Digest>; DEPTH + 1],
}

impl Default for StateTree {
    fn default() -> Self {
        Self::new()
    }
}

impl StateTree {
    /// The tree without records.
    #[must_use]
    pub fn new() -> Self {
        Self {
            records: HashMap::new(),
            levels: core::array::from_fn(|_| HashMap::new()),
        }
    }

    /// The tree of these records; where an index appears twice, the later record counts.
    #[must_use]
    pub fn from_records(records: &[(Index, Record)]) -> Self {
        let mut tree = Self::new();
        tree.update(records);
        tree
    }

    /// The digest of everything.
    pub fn root(&self) -> Digest {
        self.node(DEPTH, 0)
    }

    /// The record at an index, [`Record::EMPTY`] where there is none.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        self.records.get(&index).copied().unwrap_or(Record::EMPTY)
    }

    /// How many records are not empty.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether all records are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Everything that is not empty, by ascending index.
    #[must_use]
    pub fn records(&self) -> Vec<(Index, Record)> {
        let mut records: Vec<_> = self
            .records
            .iter()
            .map(|(&i, &record)| (i, record))
            .collect();
        records.sort_unstable_by_key(|&(index, _)| index);
        records
    }

    /// Replaces records and hashes every node above them once; where an index appears twice,
    /// the later record counts.
    pub fn update(&mut self, changes: &[(Index, Record)]) {
        let changes = last_by_index(changes);
        for &(index, record) in &changes {
            if record.is_empty() {
                self.records.remove(&index);
            } else {
                self.records.insert(index, record);
            }
        }
        let blocks: Vec<_> = changes.iter().map(|(_, record)| record.0).collect();
        let digests = compress_many(&blocks);
        let mut nodes: Vec<_> = changes
            .iter()
            .map(|&(index, _)| index)
            .zip(digests)
            .collect();
        self.store(0, &nodes);
        for level in 0..DEPTH {
            nodes = self.parents(level, &nodes);
            self.store(level + 1, &nodes);
        }
    }

    /// The nodes of a level that are beside the paths from some leaves to the root and not on
    /// one of them, level by level from the leaves up and by ascending index within a level.
    ///
    /// `indices` must be ascending without repetition.
    #[must_use]
    pub fn siblings(&self, indices: &[Index]) -> Vec<Digest> {
        let mut siblings = Vec::new();
        let mut on_path = indices.to_vec();
        for level in 0..DEPTH {
            siblings.extend(paths::beside(&on_path).map(|index| self.node(level, index)));
            on_path = paths::parents(&on_path);
        }
        siblings
    }

    /// A node's digest, `level` at most [`DEPTH`].
    fn node(&self, level: usize, index: Index) -> Digest {
        let stored = self.levels[level].get(&index);
        stored.copied().unwrap_or_else(|| empty_subtree(level))
    }

    /// The new parents of a level's changed nodes, both by ascending index.
    fn parents(&self, level: usize, changed: &[(Index, Digest)]) -> Vec<(Index, Digest)> {
        let mut indices = Vec::with_capacity(changed.len());
        let mut blocks = Vec::with_capacity(changed.len());
        for family in changed.chunk_by(|(a, _), (b, _)| a >> 1 == b >> 1) {
            let (index, digest) = family[0];
            let block = match family.get(1) {
                Some((_, right)) => concat(&digest, right),
                None if index & 1 == 0 => concat(&digest, &self.node(level, index | 1)),
                None => concat(&self.node(level, index & !1), &digest),
            };
            indices.push(index >> 1);
            blocks.push(block);
        }
        indices.into_iter().zip(compress_many(&blocks)).collect()
    }

    fn store(&mut self, level: usize, nodes: &[(Index, Digest)]) {
        let empty = empty_subtree(level);
        let stored = &mut self.levels[level];
        stored.reserve(if stored.is_empty() { nodes.len() } else { 0 });
        for &(index, digest) in nodes {
            if digest == empty {
                stored.remove(&index);
            } else {
                stored.insert(index, digest);
            }
        }
    }
}

/// By ascending index, with the last record given for each.
fn last_by_index(changes: &[(Index, Record)]) -> Vec<(Index, Record)> {
    let mut sorted = changes.to_vec();
    sorted.sort_by_key(|&(index, _)| index);
    sorted.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    sorted
}

/// Two trees are the same if they hold the same records: the digests follow from these.
impl PartialEq for StateTree {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records
    }
}

impl Eq for StateTree {}
