//! The paths from some leaves to the root, without the tree: what the reader of a shard
//! witness has in hand.

use thiserror::Error;

use super::DEPTH;
use crate::hash::{Digest, compress_many, concat};
use crate::record::{Index, Record};

/// Why records and siblings do not make a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessPathError {
    /// There are no records.
    #[error("found no records, expected at least one")]
    NoRecords,
    /// The records are not by ascending index, or an index is repeated.
    #[error("record {position} has index {found}, expected one above {previous}")]
    Order {
        /// Position in the list of records.
        position: usize,
        /// The index of the record at this position.
        found: Index,
        /// The index of the record before it.
        previous: Index,
    },
    /// More or fewer siblings than these records have.
    #[error("found {found} siblings, expected {expected}")]
    SiblingCount {
        /// Siblings found.
        found: usize,
        /// How many the paths of these records have beside them.
        expected: usize,
    },
}

/// Returns how many inner nodes (the root included) lie on the paths from some leaves to the root.
///
/// `indices` must be ascending without repetition.
#[must_use]
pub fn touched_nodes(indices: &[Index]) -> usize {
    let first = if indices.is_empty() { 0 } else { DEPTH };
    let more = |pair: &[Index]| nodes_apart(pair[0], pair[1]);
    first + indices.windows(2).map(more).sum::<usize>()
}

/// How many inner nodes of the one path are not on the other.
const fn nodes_apart(a: Index, b: Index) -> usize {
    let common_level = Index::BITS - (a ^ b).leading_zeros();
    common_level.saturating_sub(1) as usize
}

/// Returns the root of the tree in which these records, by ascending index, have these siblings, in
/// the order of [`StateTree::siblings`](super::StateTree::siblings).
///
/// # Errors
/// No records, records out of order, or a wrong number of siblings.
pub fn root_from(
    records: &[(Index, Record)],
    siblings: &[Digest],
) -> Result<Digest, WitnessPathError> {
    check_order(records)?;
    let mut on_path: Vec<Index> = records.iter().map(|&(index, _)| index).collect();
    let expected = sibling_count(&on_path);
    if siblings.len() != expected {
        let found = siblings.len();
        return Err(WitnessPathError::SiblingCount { found, expected });
    }
    let blocks: Vec<_> = records.iter().map(|(_, record)| record.0).collect();
    let mut digests = compress_many(&blocks);
    let mut rest = siblings.iter();
    for _ in 0..DEPTH {
        digests = compress_many(&families(&on_path, &digests, &mut rest));
        on_path = parents(&on_path);
    }
    digests.first().copied().ok_or(WitnessPathError::NoRecords)
}

/// The pairs of children of the nodes above a level's path nodes; missing children are the
/// next siblings.
fn families<'a>(
    on_path: &[Index],
    digests: &[Digest],
    siblings: &mut impl Iterator<Item = &'a Digest>,
) -> Vec<[crate::field::F; 8]> {
    let mut blocks = Vec::with_capacity(on_path.len());
    let mut nodes = on_path.iter().zip(digests).peekable();
    while let Some((index, digest)) = nodes.next() {
        if let Some((_, right)) = nodes.next_if(|(next, _)| **next == index ^ 1) {
            blocks.push(concat(digest, right));
        } else if let Some(sibling) = siblings.next() {
            let is_left = index & 1 == 0;
            let (left, right) = if is_left {
                (digest, sibling)
            } else {
                (sibling, digest)
            };
            blocks.push(concat(left, right));
        }
    }
    blocks
}

fn check_order(records: &[(Index, Record)]) -> Result<(), WitnessPathError> {
    if records.is_empty() {
        return Err(WitnessPathError::NoRecords);
    }
    for (position, (before, after)) in records.iter().zip(records.iter().skip(1)).enumerate() {
        if after.0 <= before.0 {
            return Err(WitnessPathError::Order {
                position: position + 1,
                found: after.0,
                previous: before.0,
            });
        }
    }
    Ok(())
}

/// Each inner node on a path has two children: those that are not on a path are siblings.
fn sibling_count(indices: &[Index]) -> usize {
    let inner = touched_nodes(indices);
    // Of all nodes on a path, leaves and inner nodes, only the root is no child.
    (2 * inner + 1).saturating_sub(indices.len() + inner)
}

/// The siblings of a level's path nodes that are not on a path themselves.
pub(super) fn beside(on_path: &[Index]) -> impl Iterator<Item = Index> {
    on_path
        .chunk_by(|a, b| a >> 1 == b >> 1)
        .filter(|family| family.len() == 1)
        .map(|family| family[0] ^ 1)
}

/// The path nodes of the level above.
pub(super) fn parents(on_path: &[Index]) -> Vec<Index> {
    let mut parents: Vec<Index> = on_path.iter().map(|index| index >> 1).collect();
    parents.dedup();
    parents
}
