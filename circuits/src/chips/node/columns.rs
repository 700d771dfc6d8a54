//! Columns of a touched inner node.

use crate::cells::Cells;

/// One inner node, before and after the shard.
#[repr(C)]
#[derive(Debug)]
pub struct NodeColumns<T> {
    /// Height above the leaves, 1 to 32.
    pub level: T,
    /// Place within the level.
    pub index: T,
    /// The child at (level - 1, 2 index).
    pub left: Child<T>,
    /// The child at (level - 1, 2 index + 1).
    pub right: Child<T>,
    /// Digest before: compression of the children's old digests.
    pub old: [T; 4],
    /// Digest after: compression of the children's new digests.
    pub new: [T; 4],
}

/// A child of the node.
#[repr(C)]
#[derive(Debug)]
pub struct Child<T> {
    /// Whether the child lies on the path of a touched record.
    pub is_touched: T,
    /// Its digest before the shard.
    pub old: [T; 4],
    /// Its digest after the shard, the same if it is not touched.
    pub new: [T; 4],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<NodeColumns<u8>>();

impl<T> NodeColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            level: cells.one(),
            index: cells.one(),
            left: Child::of(&mut cells),
            right: Child::of(&mut cells),
            old: cells.array(),
            new: cells.array(),
        }
    }
}

impl<T> Child<T> {
    fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            is_touched: cells.one(),
            old: cells.array(),
            new: cells.array(),
        }
    }
}
