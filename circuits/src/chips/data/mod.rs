#![doc = include_str!("README.md")]

mod air;
mod columns;
mod horner;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::{DataChip, PUBLIC_VALUES};
pub use columns::DataColumns;
pub use trace::{Evaluated, generate};
