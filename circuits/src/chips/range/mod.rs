#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::RangeChip;
pub use columns::RangeColumns;
pub use trace::generate;

/// log2 of the number of values: a range check is for 16 bits.
pub const LOG_RANGE: usize = 16;
