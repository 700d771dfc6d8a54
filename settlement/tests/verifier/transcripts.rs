//! A thousand transcripts, in Rust and on a chain.

use alloy_primitives::Bytes;
use plonky2::field::polynomial::PolynomialCoeffs;
use plonky2::field::types::Sample;
use shardfold_aggregator::SettlementProof;
use shardfold_recursion::plonk::onchain::{Trace, TraceError, trace};
use shardfold_recursion::plonk::{KeccakConfig, PlonkField, PlonkProof};

use crate::fixture::{CASE, HARNESS};
use crate::parts::{IHarness, trace_of};

/// Proofs of the tests' shape, random in all that a transcript takes: statement, caps, openings,
/// what the low-degree test sends, nonces. Their queries are those of the case, and open nothing.
fn random_proof() -> PlonkProof<KeccakConfig> {
    let mut proof = CASE.proof.clone();
    let whole = &mut proof.plonky2;
    redraw(&mut whole.public_inputs);
    let inner = &mut whole.proof;
    for cap in [
        &mut inner.wires_cap,
        &mut inner.plonk_zs_partial_products_cap,
        &mut inner.quotient_polys_cap,
    ]
    .into_iter()
    .chain(&mut inner.opening_proof.commit_phase_merkle_caps)
    {
        redraw(&mut cap.0);
    }
    let openings = &mut inner.openings;
    for values in [
        &mut openings.constants,
        &mut openings.plonk_sigmas,
        &mut openings.wires,
        &mut openings.plonk_zs,
        &mut openings.plonk_zs_next,
        &mut openings.partial_products,
        &mut openings.quotient_polys,
    ] {
        redraw(values);
    }
    let PolynomialCoeffs { coeffs } = &mut inner.opening_proof.final_poly;
    redraw(coeffs);
    proof
}

fn redraw<T: Sample>(values: &mut [T]) {
    values.iter_mut().for_each(|value| *value = T::rand());
}

/// Draws the nonces of a proof until all of them answer.
fn ground(proof: &mut PlonkProof<KeccakConfig>) -> Trace {
    loop {
        let nonces = &mut proof.nonces;
        for nonce in [&mut nonces.point, &mut nonces.batch]
            .into_iter()
            .chain(&mut nonces.folds)
        {
            *nonce = PlonkField::rand();
        }
        proof.plonky2.proof.opening_proof.pow_witness = PlonkField::rand();
        match trace(&CASE.common, CASE.grinding, &CASE.key, proof) {
            Ok(expected) => return expected,
            Err(TraceError::Grinding(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn rust_and_contract_agree_on_a_thousand_transcripts() {
    let (chain, harness) = &*HARNESS;
    for number in 0..1_000 {
        let mut proof = random_proof();
        let expected = ground(&mut proof);
        let proof = Bytes::from(SettlementProof::of_outer(&proof).calldata().to_vec());
        let call = IHarness::challengesCall { proof };
        let IHarness::challengesReturn {
            slots,
            zeta,
            batch,
            folds,
            indices,
        } = chain.ask(*harness, &call);
        // Openings and challenges: all but constants and what the program computes.
        assert!(slots.len() > 200, "{}", slots.len());
        let expected = trace_of(&expected, slots.len());
        let found = IHarness::traceReturn {
            slots,
            zeta,
            batch,
            folds,
            indices,
        };
        assert_eq!(found, expected, "{number}: {}", call.proof);
    }
}
