#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::VariableBaseChip;
pub use columns::{Doubling, VariableBaseColumns};
pub use trace::{Ladders, generate};
