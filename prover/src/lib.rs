//! Proves one shard: witness, traces, STARK, and the plonky2 proof that the STARK verifies.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use shardfold_circuits::error::TraceError;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::plonk::PlonkProof;

pub mod cache;
mod circuit;
mod data;
mod lazy;
mod set;
mod stark;
mod traces;

#[cfg(test)]
mod tests;

pub use circuit::{ShardCircuit, ShardCircuitError};
pub use data::{DataCircuit, data_stark, data_traces, prove_data};
pub use lazy::Lazy;
pub use set::{CircuitSet, KEPT_CIRCUITS, SetError};
pub use stark::{ShardStark, Stark, StarkError, TableWidth};
pub use traces::{Traces, shard_traces, signature_requests};

/// A step of proving a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Laying out the rows of every chip.
    Traces,
    /// The STARK over all chips.
    Stark,
    /// The plonky2 proof that the STARK verifies.
    Circuit,
}

impl Stage {
    /// Returns the stage's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Stark => "stark",
            Self::Circuit => "shard_circuit",
        }
    }
}

/// Why a shard could not be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The circuits of the shape are not available.
    #[error(transparent)]
    Circuits(#[from] SetError),
    /// The witness cannot be generated.
    #[error("the shard's witness is refused: {0}")]
    Witness(#[from] TraceError),
    /// The STARK could not be proven.
    #[error(transparent)]
    Stark(#[from] StarkError),
    /// The observer has ended the work.
    #[error("the work was ended")]
    Stopped,
    /// The STARK does not verify, so the witness does not prove its statement.
    #[error(transparent)]
    Circuit(#[from] ShardCircuitError),
}

/// Proves a shard with the circuit of its shape; `observe` hears how long each stage took, and
/// may end the work there.
///
/// # Errors
/// If the witness does not prove its statement, the profile lacks its shape, or `observe` ends
/// the work.
pub fn prove_shard(
    circuits: &CircuitSet,
    witness: &ShardWitness,
    mut observe: impl FnMut(Stage, Duration) -> ControlFlow<()>,
) -> Result<PlonkProof, ProveError> {
    let stark = circuits.stark(&witness.shape)?;
    let mut start = Instant::now();
    let mut done = |stage| {
        let flow = observe(stage, start.elapsed());
        start = Instant::now();
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ProveError::Stopped),
        }
    };
    let traces = shard_traces(circuits.contracts(), witness)?;
    done(Stage::Traces)?;
    let proof = stark.prove(traces)?;
    done(Stage::Stark)?;
    // Loaded only now: whoever has other cores to spare loads it while the STARK is proven.
    let circuit = circuits.shard(&witness.shape)?;
    let proof = circuit.prove(stark, &proof, &witness.statement)?;
    // What is proven is proven, wanted or not.
    let _ = done(Stage::Circuit);
    Ok(proof)
}
