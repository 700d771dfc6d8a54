//! Proves what a batch's differences are as a polynomial, at a point: the other half of a
//! settlement, beside the validity proof.

use shardfold_circuits::chips::{Chip, data, poseidon2, range};
use shardfold_circuits::error::TraceError;
use shardfold_circuits::lookup_events::LookupEvents;
use shardfold_protocol::data::{
    DATA_STATEMENT_ELEMENTS, DataStatement, LOG_COEFFICIENTS, POINT_LIMBS,
};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_recursion::plonk::PlonkProof;
use shardfold_recursion::profile::Profile;

use crate::stark::{Stark, StarkError};
use crate::traces::Traces;
use crate::{CircuitSet, ProveError};

mod circuit;
#[cfg(test)]
mod tests;

pub use circuit::DataCircuit;

/// Returns the STARK over the differences of a batch.
///
/// # Errors
/// None, for the parameters of a profile.
pub fn data_stark(profile: Profile) -> Result<Stark, StarkError> {
    Stark::new(Chip::of_data().into(), profile.data())
}

/// Lays out the rows of differences, which are whole blocks, on a chain and at a point.
///
/// # Errors
/// More differences than one settlement publishes.
pub fn data_traces(
    before: &Digest,
    differences: &[F],
    point: [u64; 2],
) -> Result<(Traces, DataStatement), TraceError> {
    let mut events = LookupEvents::default();
    let data = data::generate(differences, before, point, LOG_COEFFICIENTS, &mut events)?;
    let poseidon2 = poseidon2::generate(&events.hashes, LOG_COEFFICIENTS)?;
    let statement = DataStatement {
        before: *before,
        after: data.after,
        evaluation: data.evaluation,
    };
    let traces = Traces {
        traces: vec![data.trace, poseidon2, range::generate(&events.range)],
        public_values: public_values(&statement),
    };
    Ok((traces, statement))
}

/// The public values of each chip for a statement.
fn public_values(statement: &DataStatement) -> Vec<Vec<F>> {
    public_values_of(
        &statement.elements(),
        &point_limbs(statement.evaluation.point),
    )
}

/// The public values of each chip, given the elements of the statement and the limbs of its point,
/// as values or targets.
fn public_values_of<T: Copy>(
    statement: &[T; DATA_STATEMENT_ELEMENTS],
    limbs: &[T; POINT_LIMBS],
) -> Vec<Vec<T>> {
    let (ends, evaluation) = statement.split_at(8);
    let (_, value) = evaluation.split_at(2);
    vec![[ends, limbs, value].concat(), vec![], vec![]]
}

/// The limbs of a point, 16 bits each, the lowest first.
fn point_limbs(point: [u64; 2]) -> [F; POINT_LIMBS] {
    let (limbs, bits) = (POINT_LIMBS / 2, 16);
    core::array::from_fn(|i| {
        // The cast keeps the low 16 bits, which is what a limb is.
        let limb = (point[i / limbs] >> (bits * (i % limbs))) as u16;
        F::new(limb.into())
    })
}

/// Proves what the differences of a batch are at a point.
///
/// # Errors
/// More differences than one settlement publishes, or circuits that are not available.
pub fn prove_data(
    circuits: &CircuitSet,
    before: &Digest,
    differences: &[F],
    point: [u64; 2],
) -> Result<(PlonkProof, DataStatement), ProveError> {
    let stark = circuits.data_stark()?;
    let (traces, statement) = data_traces(before, differences, point)?;
    let proof = stark.prove(traces)?;
    let circuit = circuits.data()?;
    Ok((circuit.prove(stark, &proof, &statement)?, statement))
}
