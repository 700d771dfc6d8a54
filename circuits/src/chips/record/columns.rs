//! Columns of a touched record.

use crate::cells::Cells;

/// One leaf of the state tree, before and after the shard, and the chain of differences.
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
    /// 0, 1, 0, 1, ...: at an odd row the second half of a block begins.
    pub is_odd: T,
    /// Whether the record changes.
    pub is_changed: T,
    /// Whether it changes and is a vault before, so that a pair says it all.
    pub is_vault: T,
    /// Shows that the digests differ, and that no vault is there before if `is_vault` is 0.
    pub witness: [T; 4],
    /// Two limbs of 16 bits: how much larger the next index is, less one.
    pub gap: [T; 2],
    /// The chain of differences before the row.
    pub chain: [T; 4],
    /// The chain after the first block of a record that is published whole.
    pub half: [T; 4],
    /// The chain after the blocks that are the row's alone.
    pub own: [T; 4],
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
            is_odd: cells.one(),
            is_changed: cells.one(),
            is_vault: cells.one(),
            witness: cells.array(),
            gap: cells.array(),
            chain: cells.array(),
            half: cells.array(),
            own: cells.array(),
        }
    }
}
