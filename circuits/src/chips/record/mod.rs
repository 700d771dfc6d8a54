#![doc = include_str!("README.md")]

mod air;
mod columns;
mod difference;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

use shardfold_protocol::record::{Index, Record};

pub use air::RecordChip;
pub use columns::RecordColumns;
pub use trace::generate;

/// A record that the shard touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouchedRecord {
    /// Where it lies.
    pub index: Index,
    /// What it is before the shard.
    pub first: Record,
    /// What it is after the shard.
    pub last: Record,
    /// The clock of the transaction that wrote it last; 0 if none did.
    pub last_clock: u32,
}
