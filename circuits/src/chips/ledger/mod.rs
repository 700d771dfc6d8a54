#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::LedgerChip;
pub use columns::{ChainColumns, HeadValues, LedgerColumns, StatementValues};
pub use trace::generate;
