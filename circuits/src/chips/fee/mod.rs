#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::FeeChip;
pub use columns::FeeColumns;
pub use trace::generate;
