//! Without grinding of our own, plonky2's proofs are ours, and its verifier agrees.

use plonky2::plonk::circuit_data::{VerifierCircuitData, VerifierCircuitTarget};

use super::fixture::{COMMON, GROUND_CASE, INNER, PARAMETERS, PLAIN, PLAIN_CASE};
use crate::plonk::{
    Builder, CommonData, Grinding, PlonkConfig, PlonkParameters, PlonkProofTarget,
    add_virtual_plonk_proof, verify_plonk_proof,
};
use crate::tree::{common_data, gate_set};

#[test]
fn a_proof_by_plonky2_is_accepted_by_all_three_verifiers() {
    let verifier = VerifierCircuitData {
        verifier_only: INNER.0.verifier_only.clone(),
        common: COMMON.clone(),
    };
    verifier.verify(PLAIN.plonky2.clone()).unwrap();
    PLAIN_CASE.native(&PLAIN).unwrap();
    assert!(PLAIN_CASE.circuit_accepts(&PLAIN));
}

#[test]
fn our_proof_with_grinding_is_accepted_by_both_verifiers() {
    GROUND_CASE.native(&GROUND_CASE.proof).unwrap();
    assert!(GROUND_CASE.circuit_accepts(&GROUND_CASE.proof));
    // plonky2's verifier plays another transcript.
    let verifier = VerifierCircuitData {
        verifier_only: INNER.0.verifier_only.clone(),
        common: COMMON.clone(),
    };
    assert!(verifier.verify(GROUND_CASE.proof.plonky2.clone()).is_err());
}

/// Rows of a circuit that verifies a proof under a key that it holds.
fn rows(
    common: &CommonData,
    verify: impl FnOnce(&mut Builder, &PlonkProofTarget, &VerifierCircuitTarget),
) -> usize {
    let mut builder = Builder::new(common.config.clone());
    let proof = add_virtual_plonk_proof(&mut builder, common);
    let key = builder.add_virtual_verifier_data(common.config.fri_config.cap_height);
    verify(&mut builder, &proof, &key);
    builder.num_gates()
}

#[test]
fn the_circuit_has_no_more_rows_than_plonky2s() {
    for (parameters, degree_bits) in [(PARAMETERS, 10), (PlonkParameters::PROVEN_100, 16)] {
        let common = common_data(&parameters, degree_bits, &gate_set(&parameters));
        let ours = |grinding| {
            rows(&common, |builder, proof, key| {
                verify_plonk_proof(builder, proof, key, &common, grinding).unwrap();
            })
        };
        let theirs = rows(&common, |builder, proof, key| {
            builder.verify_proof::<PlonkConfig>(&proof.plonky2, key, &common);
        });
        let (plain, ground) = (ours(Grinding::default()), ours(parameters.grinding));
        println!(
            "{}: {plain} rows, plonky2's {theirs}, with grinding {ground}",
            parameters.profile
        );
        assert!(plain <= theirs, "{plain} rows, plonky2's {theirs}");
        // A permutation and a range check for each site.
        let sites = 2 + common.fri_params.reduction_arity_bits.len();
        assert!(
            ground <= plain + 2 * sites,
            "{ground} rows, {plain} without"
        );
    }
}
