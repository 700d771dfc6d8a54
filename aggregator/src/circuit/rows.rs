//! How many rows a fold circuit needs, and the degree at which it fits.

use plonky2::field::types::Field as _;
use shardfold_recursion::plonk::{
    Builder, CommonData, Gate, PlonkConfig, PlonkField, PlonkParameters,
};
use shardfold_recursion::tree::common_data;
use std::ops::RangeInclusive;

use super::assemble;

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
