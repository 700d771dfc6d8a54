#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

pub use air::LedgerChip;
pub use columns::LedgerColumns;
pub use trace::generate;
