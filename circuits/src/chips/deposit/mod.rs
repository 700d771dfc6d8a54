#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::DepositChip;
pub use columns::DepositColumns;
pub use trace::generate;
