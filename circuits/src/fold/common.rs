//! One `CommonData` for all circuits of a proof tree, and circuits brought to it.

use plonky2::field::types::Field as _;
use plonky2::gates::noop::NoopGate;
use plonky2::iop::target::Target;
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use std::ops::RangeInclusive;

use super::FoldError;
use super::circuit::assemble;
use crate::plonk::{Builder, Circuit, CommonData, Gate, PlonkConfig, PlonkField, PlonkParameters};

/// Elements of a verifier key as public input: digest, and the digests of the cap.
#[must_use]
pub fn key_elements(parameters: &PlonkParameters) -> usize {
    4 + (4 << parameters.cap_height)
}

/// The common data of all circuits with these parameters, `2^degree_bits` rows and this set of
/// gates, whose public inputs are a statement and a key slot.
///
/// Beside the FRI parameters nothing in it depends on the degree, so it is read off a circuit
/// of a few rows.
#[must_use]
pub fn common_data(parameters: &PlonkParameters, degree_bits: usize, gates: &[Gate]) -> CommonData {
    let mut builder = Builder::new(parameters.circuit_config());
    for gate in gates {
        builder.add_gate_to_gate_set(gate.clone());
    }
    let zero = builder.zero();
    builder.register_public_inputs(&vec![zero; STATEMENT_ELEMENTS + key_elements(parameters)]);
    let mut common = builder.build::<PlonkConfig>().common;
    let config = common.config.clone();
    common.fri_params = config
        .fri_config
        .fri_params(degree_bits, config.zero_knowledge);
    common
}

/// Bounds of the rows that a fold circuit over these common data needs, before padding. The
/// lower one is exact where all constants find room in the spare wires of other gates, as they
/// do from some dozen queries on.
#[must_use]
pub fn fold_rows(common: &CommonData, leaf_keys: usize, arity: usize) -> RangeInclusive<usize> {
    let (builder, constants) = draft(common, leaf_keys, arity);
    let rows = builder.num_gates() + public_input_rows(common);
    rows..=rows + constants.div_ceil(2)
}

/// Whether the fold circuit fits the degree of these common data.
fn fold_fits(common: &CommonData, leaf_keys: usize, arity: usize) -> bool {
    let rows = fold_rows(common, leaf_keys, arity);
    if rows.contains(&common.degree()) {
        // Only where the constants decide is it worth the seconds to lay the circuit out.
        let (builder, _) = draft(common, leaf_keys, arity);
        return builder.mock_build::<PlonkConfig>().common.degree() <= common.degree();
    }
    *rows.end() < common.degree()
}

/// The fold circuit with keys of distinct elements (only their count matters for its size),
/// and a bound of its constants.
fn draft(common: &CommonData, leaf_keys: usize, arity: usize) -> (Builder, usize) {
    let key_len = 4 + 4 * common.config.fri_config.num_cap_elements();
    let element = |i: usize| PlonkField::from_canonical_usize((1 << 40) + i);
    let keys: Vec<Vec<PlonkField>> = (0..leaf_keys)
        .map(|key| (0..key_len).map(|i| element(key * key_len + i)).collect())
        .collect();
    let (builder, _) = assemble(common, &keys, arity);
    // The keys' constants, and fewer than 2,048 of the verifier itself (about 750 of them are
    // the round constants and matrices of Poseidon).
    (builder, leaf_keys * key_len + 2048)
}

/// The rows that plonky2 adds to hash the public inputs and to hold the hash.
fn public_input_rows(common: &CommonData) -> usize {
    common.num_public_inputs.div_ceil(8) + 1
}

/// The least degree at which a fold of `arity` children fits and which no leaf exceeds.
#[must_use]
pub fn common_degree_bits(
    parameters: &PlonkParameters,
    gates: &[Gate],
    leaf_degree_bits: usize,
    leaf_keys: usize,
    arity: usize,
) -> usize {
    let mut degree_bits = leaf_degree_bits;
    // The rows grow with the degree only by a Merkle level per doubling, so this ends.
    while !fold_fits(
        &common_data(parameters, degree_bits, gates),
        leaf_keys,
        arity,
    ) {
        degree_bits += 1;
    }
    degree_bits
}

/// Registers a leaf's public inputs, which are `statement` and a key slot of zeros, and builds
/// the circuit over `common`.
///
/// A leaf's slot is never looked at: the fold circuit knows leaves by their keys. It is zero
/// so that one witness has one list of public inputs.
///
/// # Errors
/// If the circuit has other public inputs, needs more rows than `common` has, or uses a gate
/// that `common` lacks.
pub fn finish_leaf(
    mut builder: Builder,
    statement: &[Target; STATEMENT_ELEMENTS],
    common: &CommonData,
) -> Result<Circuit, FoldError> {
    let zero = builder.zero();
    builder.register_public_inputs(statement);
    builder.register_public_inputs(&vec![zero; common.num_public_inputs - STATEMENT_ELEMENTS]);
    finish(builder, common)
}

/// Fills the circuit to the rows and gates of `common`, builds it, and checks that it has
/// exactly these common data.
pub(super) fn finish(mut builder: Builder, common: &CommonData) -> Result<Circuit, FoldError> {
    let found = builder.num_public_inputs();
    if found != common.num_public_inputs {
        return Err(FoldError::PublicInputs {
            found,
            expected: common.num_public_inputs,
        });
    }
    let rows = builder.num_gates();
    let capacity = common.degree();
    if rows > capacity {
        return Err(FoldError::TooManyRows { rows, capacity });
    }
    for gate in &common.gates {
        builder.add_gate_to_gate_set(gate.clone());
    }
    // plonky2 fills up to the next power of two.
    while builder.num_gates() <= capacity / 2 {
        builder.add_gate(NoopGate, vec![]);
    }
    let circuit = builder.build::<PlonkConfig>();
    if circuit.common.degree() != capacity {
        return Err(FoldError::TooManyRows { rows, capacity });
    }
    let foreign: Vec<String> = circuit
        .common
        .gates
        .iter()
        .filter(|gate| !common.gates.contains(gate))
        .map(|gate| gate.0.id())
        .collect();
    if !foreign.is_empty() {
        return Err(FoldError::ForeignGates { gates: foreign });
    }
    if circuit.common != *common {
        return Err(FoldError::CommonData);
    }
    Ok(circuit)
}
