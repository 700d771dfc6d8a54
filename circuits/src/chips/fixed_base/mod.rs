#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::FixedBaseChip;
pub use columns::FixedBaseColumns;
pub use trace::{Ladders, generate};
