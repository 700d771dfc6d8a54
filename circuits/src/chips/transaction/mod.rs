#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod trace;

pub use air::TransactionChip;
pub use columns::{HeadValues, StatementValues, TransactionColumns};
pub use trace::{Access, FeeRow, RequiredSignature, TransactionRows, generate};
