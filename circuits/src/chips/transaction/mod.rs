#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::TransactionChip;
pub use columns::{HeadValues, StatementValues, TransactionColumns};
pub use trace::{Access, Body, FeeRow, RequiredSignature, Table, TransactionRows, generate};
