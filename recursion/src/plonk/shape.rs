//! The shape of a proof: every length in it follows from the common data.

use plonky2::fri::proof::{FriInitialTreeProof, FriProof, FriQueryStep};
use plonky2::hash::merkle_tree::MerkleCap;
use plonky2::plonk::proof::OpeningSet;

use super::openings::oracle_sizes;
use super::{CommonData, D, PlonkField, PlonkProof, PlonkVerifyError, Trees, VerifierKey};

/// Checks all lengths in a proof, and that of the key's cap.
pub(super) fn check_shape<C: Trees>(
    key: &VerifierKey<C>,
    common: &CommonData,
    proof: &PlonkProof<C>,
) -> Result<(), PlonkVerifyError> {
    let sent = &proof.plonky2.proof;
    let public_inputs = &proof.plonky2.public_inputs;
    length("public inputs", public_inputs, common.num_public_inputs)?;
    check_cap::<C>("roots of the key's cap", &key.constants_sigmas_cap, common)?;
    check_cap::<C>("roots of the wires' cap", &sent.wires_cap, common)?;
    let products = &sent.plonk_zs_partial_products_cap;
    check_cap::<C>("roots of the products' cap", products, common)?;
    check_cap::<C>(
        "roots of the quotient's cap",
        &sent.quotient_polys_cap,
        common,
    )?;
    check_openings(&sent.openings, common)?;

    let fri = &common.fri_params;
    let rounds = fri.reduction_arity_bits.len();
    let opening = &sent.opening_proof;
    length("nonces of folds", &proof.nonces.folds, rounds)?;
    length(
        "folded codewords",
        &opening.commit_phase_merkle_caps,
        rounds,
    )?;
    for cap in &opening.commit_phase_merkle_caps {
        check_cap::<C>("roots of a folded codeword's cap", cap, common)?;
    }
    let coefficients = &opening.final_poly.coeffs;
    length(
        "coefficients of the final polynomial",
        coefficients,
        fri.final_poly_len(),
    )?;
    check_queries::<C>(opening, common)
}

fn check_openings(
    openings: &OpeningSet<PlonkField, D>,
    common: &CommonData,
) -> Result<(), PlonkVerifyError> {
    let config = &common.config;
    let challenges = config.num_challenges;
    let products = challenges.saturating_mul(common.num_partial_products);
    let quotient = challenges.saturating_mul(common.quotient_degree_factor);
    length(
        "opened constants",
        &openings.constants,
        common.num_constants,
    )?;
    length(
        "opened sigmas",
        &openings.plonk_sigmas,
        config.num_routed_wires,
    )?;
    length("opened wires", &openings.wires, config.num_wires)?;
    length("opened products", &openings.plonk_zs, challenges)?;
    length(
        "opened products of the next row",
        &openings.plonk_zs_next,
        challenges,
    )?;
    length(
        "opened partial products",
        &openings.partial_products,
        products,
    )?;
    length(
        "opened parts of the quotient",
        &openings.quotient_polys,
        quotient,
    )?;
    length("opened lookups", &openings.lookup_zs, 0)?;
    length(
        "opened lookups of the next row",
        &openings.lookup_zs_next,
        0,
    )
}

fn check_queries<C: Trees>(
    opening: &FriProof<PlonkField, C::Hasher, D>,
    common: &CommonData,
) -> Result<(), PlonkVerifyError> {
    let fri = &common.fri_params;
    let queries = &opening.query_round_proofs;
    length("queries", queries, fri.config.num_query_rounds)?;
    for query in queries {
        check_leaves::<C>(&query.initial_trees_proof, common)?;
        length(
            "steps of a query",
            &query.steps,
            fri.reduction_arity_bits.len(),
        )?;
        let mut height = fri.lde_bits();
        for (step, &arity_bits) in query.steps.iter().zip(&fri.reduction_arity_bits) {
            height = height.saturating_sub(arity_bits);
            check_step::<C>(step, arity_bits, height, common)?;
        }
    }
    Ok(())
}

fn check_leaves<C: Trees>(
    trees: &FriInitialTreeProof<PlonkField, C::Hasher>,
    common: &CommonData,
) -> Result<(), PlonkVerifyError> {
    let fri = &common.fri_params;
    let sizes = oracle_sizes(common);
    let path = fri.lde_bits().saturating_sub(fri.config.cap_height);
    length("rows of a query", &trees.evals_proofs, sizes.len())?;
    for ((leaf, siblings), size) in trees.evals_proofs.iter().zip(sizes) {
        length("elements of a query's row", leaf, size)?;
        length("digests of a row's path", &siblings.siblings, path)?;
    }
    Ok(())
}

/// Checks the step to a codeword whose tree has this height.
fn check_step<C: Trees>(
    step: &FriQueryStep<PlonkField, C::Hasher, D>,
    arity_bits: usize,
    height: usize,
    common: &CommonData,
) -> Result<(), PlonkVerifyError> {
    let path = height.saturating_sub(common.fri_params.config.cap_height);
    length("elements of a fold", &step.evals, 1 << arity_bits)?;
    length(
        "digests of a fold's path",
        &step.merkle_proof.siblings,
        path,
    )
}

fn check_cap<C: Trees>(
    part: &'static str,
    cap: &MerkleCap<PlonkField, C::Hasher>,
    common: &CommonData,
) -> Result<(), PlonkVerifyError> {
    length(part, &cap.0, 1 << common.fri_params.config.cap_height)
}

fn length<T>(part: &'static str, list: &[T], expected: usize) -> Result<(), PlonkVerifyError> {
    let found = list.len();
    if found == expected {
        return Ok(());
    }
    Err(PlonkVerifyError::Length {
        part,
        found,
        expected,
    })
}
