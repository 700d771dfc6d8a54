//! Without grinding of our own, plonky2's proofs are ours, and its verifier agrees.

use plonky2::plonk::circuit_data::VerifierCircuitData;

use super::fixture::{COMMON, INNER, PLAIN, PLAIN_CASE};
use crate::plonk::{Builder, Grinding, PlonkConfig, add_virtual_plonk_proof, verify_plonk_proof};

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
fn the_circuit_has_no_more_rows_than_plonky2s() {
    let rows = |lay_out: &dyn Fn(&mut Builder)| {
        let mut builder = Builder::new(COMMON.config.clone());
        lay_out(&mut builder);
        builder.num_gates()
    };
    let cap_height = COMMON.config.fri_config.cap_height;
    let ours = rows(&|builder| {
        let proof = add_virtual_plonk_proof(builder, &COMMON);
        let key = builder.add_virtual_verifier_data(cap_height);
        verify_plonk_proof(builder, &proof, &key, &COMMON, Grinding::default()).unwrap();
    });
    let theirs = rows(&|builder| {
        let proof = builder.add_virtual_proof_with_pis(&COMMON);
        let key = builder.add_virtual_verifier_data(cap_height);
        builder.verify_proof::<PlonkConfig>(&proof, &key, &COMMON);
    });
    println!("rows: {ours}, plonky2's {theirs}");
    assert!(
        ours <= theirs,
        "{ours} rows, plonky2's verifier has {theirs}"
    );
}
