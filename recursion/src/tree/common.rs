//! One `CommonData` for all circuits of a proof tree, and circuits brought to it.

use plonky2::gates::noop::NoopGate;
use plonky2::iop::target::Target;
use shardfold_protocol::data::{DATA_STATEMENT_ELEMENTS, SETTLEMENT_ELEMENTS};
use shardfold_protocol::head::STATEMENT_ELEMENTS;

use super::TreeError;
use super::gates::{gate_set, verifier_gates};
use crate::plonk::{Builder, Circuit, CommonData, Gate, PlonkConfig, PlonkParameters, Trees};
use crate::profile::Profile;

/// Returns the number of a verifier key's public inputs: digest, and the digests of the cap.
#[must_use]
pub fn key_elements(parameters: &PlonkParameters) -> usize {
    (4_usize << parameters.cap_height).saturating_add(4)
}

/// Returns the common data of all circuits with these parameters, `2^degree_bits` rows and this set
/// of gates, whose public inputs are a statement and a key slot.
#[must_use]
pub fn common_data(parameters: &PlonkParameters, degree_bits: usize, gates: &[Gate]) -> CommonData {
    let public_inputs = key_elements(parameters).saturating_add(STATEMENT_ELEMENTS);
    common_data_with(public_inputs, parameters, degree_bits, gates)
}

/// Returns the common data of the last circuit, whose public inputs are a statement alone.
///
/// It has the gates that verify a proof of the tree.
#[must_use]
pub fn last_common_data(profile: Profile) -> CommonData {
    let gates = verifier_gates(&profile.plonk());
    let degree_bits = profile.last_degree_bits();
    common_data_with(STATEMENT_ELEMENTS, &profile.last(), degree_bits, &gates)
}

/// Returns the common data of the data circuit, which verifies a STARK, and whose public inputs are
/// a statement about data.
#[must_use]
pub fn data_common_data(profile: Profile) -> CommonData {
    let gates = gate_set(&profile.plonk());
    let degree_bits = profile.data_degree_bits();
    common_data_with(
        DATA_STATEMENT_ELEMENTS,
        &profile.plonk(),
        degree_bits,
        &gates,
    )
}

/// Returns the common data of the settlement proof's joint circuit, which verifies a proof of the
/// last circuit and one of the data circuit, and whose public inputs are a settlement.
#[must_use]
pub fn joint_common_data(profile: Profile) -> CommonData {
    settling(&profile.joint(), profile.joint_degree_bits())
}

/// Returns the common data of the settlement proof's narrow circuit, which verifies a proof of the
/// joint circuit and states the same.
#[must_use]
pub fn narrow_common_data(profile: Profile) -> CommonData {
    settling(&profile.narrow(), profile.narrow_degree_bits())
}

/// Returns the common data of the settlement proof's outer circuit, which verifies a proof of the
/// narrow circuit and states the same.
#[must_use]
pub fn outer_common_data(profile: Profile) -> CommonData {
    settling(&profile.outer(), profile.outer_degree_bits())
}

/// The child's arity and cap, on which its verifier's gates depend, are those of all profiles.
fn settling(parameters: &PlonkParameters, degree_bits: usize) -> CommonData {
    let gates = verifier_gates(parameters);
    common_data_with(SETTLEMENT_ELEMENTS, parameters, degree_bits, &gates)
}

/// Beside the FRI parameters nothing in common data depends on the degree, so they are read off a
/// circuit of a few rows.
fn common_data_with(
    public_inputs: usize,
    parameters: &PlonkParameters,
    degree_bits: usize,
    gates: &[Gate],
) -> CommonData {
    let mut builder = Builder::new(parameters.circuit_config());
    for gate in gates {
        builder.add_gate_to_gate_set(gate.clone());
    }
    let zero = builder.zero();
    builder.register_public_inputs(&vec![zero; public_inputs]);
    let mut common = builder.build::<PlonkConfig>().common;
    let config = common.config.clone();
    common.fri_params = config
        .fri_config
        .fri_params(degree_bits, config.zero_knowledge);
    common
}

/// Registers a leaf's public inputs, which are `statement` and a key slot of zeros, and builds
/// the circuit over `common`.
///
/// A leaf's slot is never looked at: the aggregation circuit knows leaves by their keys. It is zero
/// so that one witness has one list of public inputs.
///
/// # Errors
/// If the circuit has other public inputs, needs more rows than `common` has, or uses a gate
/// that `common` lacks.
pub fn finish_leaf(
    mut builder: Builder,
    statement: &[Target; STATEMENT_ELEMENTS],
    common: &CommonData,
) -> Result<Circuit, TreeError> {
    let zero = builder.zero();
    builder.register_public_inputs(statement);
    let key_slot = common.num_public_inputs.saturating_sub(STATEMENT_ELEMENTS);
    builder.register_public_inputs(&vec![zero; key_slot]);
    finish(builder, common)
}

/// Fills the circuit to the rows and gates of `common`, builds it, and checks that it has
/// exactly these common data.
///
/// # Errors
/// If the circuit has other public inputs, needs more rows than `common` has, or uses a gate
/// that `common` lacks.
pub fn finish<C: Trees>(
    mut builder: Builder,
    common: &CommonData,
) -> Result<Circuit<C>, TreeError> {
    let found = builder.num_public_inputs();
    if found != common.num_public_inputs {
        return Err(TreeError::PublicInputs {
            found,
            expected: common.num_public_inputs,
        });
    }
    let rows = builder.num_gates();
    let capacity = common.degree();
    if rows > capacity {
        return Err(TreeError::TooManyRows { rows, capacity });
    }
    for gate in &common.gates {
        builder.add_gate_to_gate_set(gate.clone());
    }
    // plonky2 fills up to the next power of two.
    while builder.num_gates() <= capacity / 2 {
        builder.add_gate(NoopGate, vec![]);
    }
    let circuit = builder.build::<C>();
    if circuit.common.degree() != capacity {
        return Err(TreeError::TooManyRows { rows, capacity });
    }
    let foreign: Vec<String> = circuit
        .common
        .gates
        .iter()
        .filter(|gate| !common.gates.contains(gate))
        .map(|gate| gate.0.id())
        .collect();
    if !foreign.is_empty() {
        return Err(TreeError::ForeignGates { gates: foreign });
    }
    if circuit.common != *common {
        return Err(TreeError::CommonData);
    }
    Ok(circuit)
}
