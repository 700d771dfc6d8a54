#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::VaultChip;
pub use columns::VaultColumns;
pub use trace::generate;
