#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::MulDivChip;
pub use columns::MulDivColumns;
pub use trace::generate;
