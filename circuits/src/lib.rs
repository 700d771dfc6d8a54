//! What is proven: the chips of a shard and the plonky2 circuits that fold their proofs.

pub mod bus;
pub mod cache;
pub mod cells;
pub mod check;
pub mod chips;
pub mod config;
pub mod convert;
pub mod error;
pub mod fold;
pub mod gadgets;
pub mod plonk;
pub mod profile;
pub mod recursion;
pub mod replay;
pub mod requests;
pub mod security;
pub mod serializers;
pub mod shard;
#[cfg(test)]
pub(crate) mod testing;
