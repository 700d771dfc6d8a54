#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::FixedTableChip;
pub use columns::FixedTableColumns;
pub use trace::{BLOCK, generate};

/// log2 of the height: that of `range`, so that the recursive verifier folds over one height less.
pub const LOG_HEIGHT: usize = 16;
