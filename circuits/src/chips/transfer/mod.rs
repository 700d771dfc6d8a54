#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::TransferChip;
pub use columns::TransferColumns;
pub use trace::generate;
