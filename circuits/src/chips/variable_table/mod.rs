#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::VariableTableChip;
pub use columns::VariableTableColumns;
pub use trace::{Multiples, Product, generate};
