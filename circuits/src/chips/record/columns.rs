//! Columns of a touched record.

use crate::cells::Cells;

/// One leaf of the state tree, before and after the shard.
#[repr(C)]
#[derive(Debug)]
pub struct RecordColumns<T> {
    /// Whether the row is more than padding.
    pub is_real: T,
    /// Where the record lies.
    pub index: T,
    /// The record before the shard.
    pub first: [T; 8],
    /// The record after the shard.
    pub last: [T; 8],
    /// When it was written last.
    pub last_clock: T,
    /// Digest before: compression of `first`.
    pub old: [T; 4],
    /// Digest after: compression of `last`.
    pub new: [T; 4],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<RecordColumns<u8>>();

impl<T> RecordColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            index: cells.one(),
            first: cells.array(),
            last: cells.array(),
            last_clock: cells.one(),
            old: cells.array(),
            new: cells.array(),
        }
    }
}
