//! One shard: its STARK over all chips, and the plonky2 circuit that verifies it and states
//! what it proves.

mod circuit;
mod set;
mod stark;
mod traces;

#[cfg(test)]
mod tests;

pub use circuit::{ShardCircuit, ShardCircuitError};
pub use set::{CircuitSet, SetError};
pub use stark::{ShardStark, StarkError, TableWidth};
pub use traces::{ShardTraces, shard_traces, signature_requests};
