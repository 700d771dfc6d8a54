//! What is proven: the chips of a shard and the plonky2 circuits that fold their proofs.

pub mod config;
pub mod recursion;
