#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::WithdrawChip;
pub use columns::WithdrawColumns;
pub use trace::generate;
