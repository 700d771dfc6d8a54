#![doc = include_str!("README.md")]

mod air;
mod columns;
mod rounds;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::Poseidon2Chip;
pub use columns::Poseidon2Columns;
pub use trace::generate;
