#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::FixedTableChip;
pub use columns::{FixedTableColumns, FixedTableEntry};
pub use trace::generate;

/// log2 of the height: 32 windows of 1024 digits, twice, which is the height of `range`.
pub const LOG_HEIGHT: usize = 16;
