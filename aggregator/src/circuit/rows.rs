//! How many rows an aggregation circuit needs, and the degree at which it fits.

use plonky2::field::types::Field as _;
use shardfold_recursion::plonk::{
    Builder, CommonData, Gate, Grinding, PlonkConfig, PlonkField, PlonkParameters,
};
use shardfold_recursion::tree::common_data;
use std::ops::RangeInclusive;

use super::{AggregationCircuitError, assemble};

/// Bounds of the rows that an aggregation circuit over these common data needs, before padding. The
/// lower one is exact where all constants find a place in the spare wires of other gates, as they
/// do from some dozen queries on.
///
/// # Errors
/// If the common data have too few public inputs for a statement.
pub fn aggregation_rows(
    common: &CommonData,
    leaf_keys: usize,
    arity: usize,
    grinding: Grinding,
) -> Result<RangeInclusive<usize>, AggregationCircuitError> {
    let (builder, constants) = draft(common, leaf_keys, arity, grinding)?;
    let rows = builder
        .num_gates()
        .saturating_add(public_input_rows(common));
    Ok(rows..=rows.saturating_add(constants.div_ceil(2)))
}

/// Whether the aggregation circuit fits the degree of these common data.
fn aggregation_fits(
    common: &CommonData,
    leaf_keys: usize,
    arity: usize,
    grinding: Grinding,
) -> Result<bool, AggregationCircuitError> {
    let rows = aggregation_rows(common, leaf_keys, arity, grinding)?;
    if rows.contains(&common.degree()) {
        // Only where the constants decide is it worth the seconds to lay the circuit out.
        let (builder, _) = draft(common, leaf_keys, arity, grinding)?;
        return Ok(builder.mock_build::<PlonkConfig>().common.degree() <= common.degree());
    }
    Ok(*rows.end() < common.degree())
}

/// The aggregation circuit with keys of distinct elements (only their count matters for its size),
/// and a bound of its constants.
fn draft(
    common: &CommonData,
    leaf_keys: usize,
    arity: usize,
    grinding: Grinding,
) -> Result<(Builder, usize), AggregationCircuitError> {
    let cap = common.config.fri_config.num_cap_elements();
    let key_len = cap.saturating_add(1).saturating_mul(4);
    let mut elements = (1 << 40..).map(PlonkField::from_canonical_u64);
    let keys: Vec<Vec<PlonkField>> = (0..leaf_keys)
        .map(|_| elements.by_ref().take(key_len).collect())
        .collect();
    let (builder, _) = assemble(common, &keys, arity, grinding)?;
    // The keys' constants, and fewer than 2,048 of the verifier itself (most of them
    // the round constants of Poseidon2).
    let constants = leaf_keys.saturating_mul(key_len).saturating_add(2048);
    Ok((builder, constants))
}

/// The rows that plonky2 adds to hash the public inputs and to hold the hash.
fn public_input_rows(common: &CommonData) -> usize {
    common.num_public_inputs.div_ceil(8).saturating_add(1)
}

/// Returns the least degree at which an aggregation of `arity` children fits and which no leaf
/// exceeds.
///
/// # Errors
/// If the common data have too few public inputs for a statement.
pub fn common_degree_bits(
    parameters: &PlonkParameters,
    gates: &[Gate],
    leaf_degree_bits: usize,
    leaf_keys: usize,
    arity: usize,
) -> Result<usize, AggregationCircuitError> {
    let mut degree_bits = leaf_degree_bits;
    // The rows grow with the degree only by a Merkle level per doubling, so this ends.
    while !aggregation_fits(
        &common_data(parameters, degree_bits, gates),
        leaf_keys,
        arity,
        parameters.grinding,
    )? {
        degree_bits = degree_bits.saturating_add(1);
    }
    Ok(degree_bits)
}
