//! What is proven: the chips of a shard and the plonky2 circuits that fold their proofs.

pub mod bus;
pub mod cells;
pub mod check;
pub mod chips;
pub mod config;
pub mod error;
pub mod gadgets;
pub mod replay;
pub mod requests;
#[cfg(test)]
pub(crate) mod testing;
