#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

pub use air::SignatureChip;
pub use columns::{Element, SignatureColumns};
pub use trace::{SignatureRequest, SignatureTraces, generate};
