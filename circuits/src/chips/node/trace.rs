//! The trace of the touched inner nodes.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::hash::{Digest, compress, concat};
use shardfold_protocol::record::Index;

use super::columns::{Child, NodeColumns, WIDTH};
use super::{DEPTH, TouchedNode};
use crate::cells::write;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns the trace, and the root before and after: whether these are the statement's is for the
/// caller to check.
///
/// `leaves` are the touched records; `siblings` are the digests beside their paths, in the
/// order of [`shardfold_protocol::witness::ShardWitness::siblings`].
///
/// # Errors
///
/// No leaves, leaves that are not in ascending order, more or fewer siblings than there are
/// beside their paths, or more inner nodes than `2^log_height`.
pub fn generate(
    leaves: &[TouchedNode],
    siblings: &[Digest],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<(RowMajorMatrix<F>, TouchedNode), TraceError> {
    let expected = check_order(leaves)?;
    TraceError::check_rows("node", expected.nodes, log_height)?;
    let wrong_count = TraceError::SiblingCount {
        found: siblings.len(),
        expected: expected.siblings,
    };
    if siblings.len() != expected.siblings {
        return Err(wrong_count);
    }

    let rows = climb(leaves, siblings).ok_or(wrong_count)?;
    let root = rows.last().ok_or(TraceError::NoRecords)?.node;
    for Row { left, right, .. } in &rows {
        let before = concat(&left.old, &right.old);
        events.hashes.push(before);
        events.hashes.push(concat(&left.new, &right.new));
    }

    let mut values = F::zero_vec(WIDTH << log_height);
    values
        .par_chunks_exact_mut(WIDTH)
        .zip(&rows)
        .for_each(|(cells, row)| row.fill(NodeColumns::of(cells)));
    Ok((RowMajorMatrix::new(values, WIDTH), root))
}

/// What some leaves need.
struct Expected {
    /// Inner nodes on their paths.
    nodes: usize,
    /// Nodes beside their paths.
    siblings: usize,
}

/// Checks that the leaves are in ascending order, and counts what they need.
fn check_order(leaves: &[TouchedNode]) -> Result<Expected, TraceError> {
    if leaves.is_empty() {
        return Err(TraceError::NoRecords);
    }
    if let Some(position) = leaves.windows(2).position(|w| w[0].index >= w[1].index) {
        return Err(TraceError::Order {
            position: position + 1,
            previous: leaves[position].index,
            found: leaves[position + 1].index,
        });
    }
    let mut on_path: Vec<Index> = leaves.iter().map(|leaf| leaf.index).collect();
    let mut expected = Expected {
        nodes: 0,
        siblings: 0,
    };
    for _ in 0..DEPTH {
        let children = on_path.len();
        on_path.iter_mut().for_each(|index| *index /= 2);
        on_path.dedup();
        expected.nodes += on_path.len();
        expected.siblings += 2 * on_path.len() - children;
    }
    Ok(expected)
}

/// A node with its children.
struct Row {
    level: usize,
    left: Side,
    right: Side,
    node: TouchedNode,
}

/// A child.
#[derive(Clone, Copy)]
struct Side {
    is_touched: bool,
    old: Digest,
    new: Digest,
}

/// The rows, level by level from the lowest up; nothing if siblings are missing.
fn climb(leaves: &[TouchedNode], siblings: &[Digest]) -> Option<Vec<Row>> {
    let mut siblings = siblings.iter();
    let mut rows: Vec<Row> = vec![];
    let mut below = leaves.to_vec();
    for level in 1..=DEPTH {
        let families = below
            .chunk_by(|a, b| a.index / 2 == b.index / 2)
            .map(|touched| family(touched, &mut siblings))
            .collect::<Option<Vec<_>>>()?;
        let start = rows.len();
        rows.par_extend(
            families
                .into_par_iter()
                .map(|(index, sides)| Row::new(level, index, sides)),
        );
        below = rows[start..].iter().map(|row| row.node).collect();
    }
    Some(rows)
}

/// The index of the parent of one or two touched nodes, and both of its children.
fn family<'a>(
    touched: &[TouchedNode],
    siblings: &mut impl Iterator<Item = &'a Digest>,
) -> Option<(Index, [Side; 2])> {
    let first = touched.first()?;
    let sides = if let [left, right] = touched {
        [Side::touched(left), Side::touched(right)]
    } else {
        let sibling = Side::untouched(siblings.next()?);
        if first.index.is_multiple_of(2) {
            [Side::touched(first), sibling]
        } else {
            [sibling, Side::touched(first)]
        }
    };
    Some((first.index / 2, sides))
}

impl Side {
    fn touched(node: &TouchedNode) -> Self {
        Self {
            is_touched: true,
            old: node.old,
            new: node.new,
        }
    }

    fn untouched(digest: &Digest) -> Self {
        Self {
            is_touched: false,
            old: *digest,
            new: *digest,
        }
    }

    fn fill(&self, cells: Child<&mut F>) {
        *cells.is_touched = F::from_bool(self.is_touched);
        write(cells.old, self.old);
        write(cells.new, self.new);
    }
}

impl Row {
    fn new(level: usize, index: Index, [left, right]: [Side; 2]) -> Self {
        let node = TouchedNode {
            index,
            old: compress(&left.old, &right.old),
            new: compress(&left.new, &right.new),
        };
        Self {
            level,
            left,
            right,
            node,
        }
    }

    fn fill(&self, cells: NodeColumns<&mut F>) {
        *cells.level = F::from_usize(self.level);
        *cells.index = F::from_u32(self.node.index);
        self.left.fill(cells.left);
        self.right.fill(cells.right);
        write(cells.old, self.node.old);
        write(cells.new, self.node.new);
    }
}
