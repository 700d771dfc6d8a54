//! What is proven of a shard: its chips, as Plonky3 AIRs, and the buses between them.

pub mod bus;
pub mod cells;
pub mod check;
pub mod chips;
pub mod error;
pub mod gadgets;
pub mod lookup_events;
#[cfg(test)]
pub(crate) mod testing;
