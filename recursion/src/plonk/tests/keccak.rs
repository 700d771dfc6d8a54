//! The prover and the verifier with Keccak's trees and transcript.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing as _;
use p3_keccak::VECTOR_LEN;
use p3_symmetric::{CryptographicHasher as _, PseudoCompressionFunction as _};
use plonky2::field::extension::FieldExtension as _;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::hash::hash_types::HashOut;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::config::Hasher as _;

use super::fixture::GRINDING;
use crate::config::F;
use crate::plonk::challenges::{Challenges, Messages, sent_values};
use crate::plonk::keccak::{KeccakNodes, KeccakRows, KeccakSponge, Words, digest_of_words};
use crate::plonk::sponge::Search as _;
use crate::plonk::transcript::Sponge as _;
use crate::plonk::{
    Builder, Circuit, Grinding, KeccakConfig, KeccakDigest, KeccakTree, PlonkField,
    PlonkParameters, PlonkProof, Poseidon2Hash, prove_keccak, verify_keccak,
};

/// Elements, none of them small.
fn elements(count: usize, seed: u64) -> Vec<PlonkField> {
    let element = |i: usize| PlonkField::from_canonical_u64(seed).exp_u64(i as u64 + 3);
    (0..count).map(element).collect()
}

#[test]
fn rows_hash_alike_one_by_one_and_side_by_side() {
    for count in [1, 3, 16, 17, 18, 33, 34, 35, 135] {
        let rows: Vec<Vec<PlonkField>> = (0..VECTOR_LEN as u64)
            .map(|lane| elements(count, lane + 7))
            .collect();
        let packed = (0..count)
            .map(|i| core::array::from_fn(|lane| F::from_u64(rows[lane][i].to_canonical_u64())));
        let hashes: Words<[u64; VECTOR_LEN]> = KeccakRows.hash_iter(packed);
        for (lane, row) in rows.iter().enumerate() {
            let hash = digest_of_words(&hashes.map(|word| word[lane]));
            assert_eq!(hash, KeccakTree::hash_no_pad(row));
        }
    }
}

#[test]
fn nodes_hash_alike_one_by_one_and_side_by_side() {
    let digests: Vec<KeccakDigest> = (0..2 * VECTOR_LEN as u64)
        .map(|i| KeccakTree::hash_no_pad(&elements(5, i + 7)))
        .collect();
    let words = |digest: &KeccakDigest| -> Words<u64> {
        core::array::from_fn(|i| {
            let bytes = digest.0.iter().skip(8 * i).take(8).rev();
            bytes.fold(0, |word, &byte| word << 8 | u64::from(byte))
        })
    };
    let side = |start: usize| -> Words<[u64; VECTOR_LEN]> {
        core::array::from_fn(|i| core::array::from_fn(|lane| words(&digests[2 * lane + start])[i]))
    };
    let nodes = KeccakNodes.compress([side(0), side(1)]);
    for (lane, pair) in digests.chunks(2).enumerate() {
        let node = digest_of_words(&nodes.map(|word| word[lane]));
        assert_eq!(node, KeccakTree::two_to_one(pair[0], pair[1]));
    }
}

#[test]
fn the_hash_is_keccak_256_of_big_endian_elements() {
    // keccak256(0x0000000000000001ffffffff00000000), computed by another implementation.
    let hash = KeccakTree::hash_no_pad(&[PlonkField::ONE, PlonkField::NEG_ONE]);
    assert_eq!(hash.0[..8], 0x61033a6cd3a59493_u64.to_be_bytes());
}

#[test]
fn the_least_nonce_is_found_after_any_number_of_bytes() {
    for digests in 0..6 {
        for words in 0..18 {
            let mut sponge = KeccakSponge::default();
            for i in 0..digests {
                sponge.observe_digest(&KeccakTree::hash_no_pad(&elements(5, i + 2)));
            }
            elements(words, 9)
                .into_iter()
                .for_each(|word| sponge.observe(word));
            let answers = |nonce: u64| {
                let mut sponge = sponge.clone();
                sponge.observe(PlonkField::from_canonical_u64(nonce));
                let response = sponge.sample();
                sponge.check(6, response).is_ok()
            };
            let nonce = sponge.search(6).to_canonical_u64();
            assert!(answers(nonce), "{digests} digests, {words} words");
            assert!((0..nonce).all(|nonce| !answers(nonce)));
        }
    }
}

/// A circuit that hashes its public inputs, and multiplies, with the rows of the outer circuit.
static CIRCUIT: LazyLock<Circuit<KeccakConfig>> = LazyLock::new(|| {
    let mut builder = Builder::new(PlonkParameters::OUTER_UNSOUND_TEST.circuit_config());
    let inputs = builder.add_virtual_targets(9);
    let hash = builder.hash_n_to_hash_no_pad::<Poseidon2Hash>(inputs.clone());
    let product = builder.mul(hash.elements[0], inputs[1]);
    builder.split_low_high(product, 32, 64);
    builder.register_public_inputs(&inputs);
    for _ in 0..600 {
        builder.add_gate(plonky2::gates::noop::NoopGate, vec![]);
    }
    builder.build::<KeccakConfig>()
});

static PROOF: LazyLock<PlonkProof<KeccakConfig>> = LazyLock::new(|| {
    let mut witness = PartialWitness::new();
    for (&target, value) in CIRCUIT
        .prover_only
        .public_inputs
        .iter()
        .zip(elements(9, 11))
    {
        witness.set_target(target, value).unwrap();
    }
    prove_keccak(&CIRCUIT, GRINDING, witness).unwrap()
});

fn accepts(proof: &PlonkProof<KeccakConfig>) -> bool {
    verify_keccak(&CIRCUIT.verifier_only, &CIRCUIT.common, GRINDING, proof).is_ok()
}

#[test]
fn a_proof_verifies_under_its_own_key_and_grinding_only() {
    assert!(accepts(&PROOF));
    let (key, common) = (&CIRCUIT.verifier_only, &CIRCUIT.common);
    let more = Grinding {
        batch: 40,
        ..GRINDING
    };
    assert!(verify_keccak(key, common, more, &PROOF).is_err());
    let mut other = key.clone();
    other.circuit_digest.0[25] ^= 1;
    assert!(verify_keccak(&other, common, GRINDING, &PROOF).is_err());
    let mut other = key.clone();
    other
        .constants_sigmas_cap
        .0
        .iter_mut()
        .for_each(|root| root.0[0] ^= 1);
    assert!(verify_keccak(&other, common, GRINDING, &PROOF).is_err());
}

/// One way to change a proof.
type Damage = fn(&mut PlonkProof<KeccakConfig>);

#[test]
fn no_part_of_a_proof_can_be_changed() {
    let parts: [(&str, Damage); 17] = [
        ("public input", |p| {
            p.plonky2.public_inputs[8] += PlonkField::ONE
        }),
        ("wires' cap", |p| p.plonky2.proof.wires_cap.0[15].0[25] ^= 1),
        ("products' cap", |p| {
            p.plonky2.proof.plonk_zs_partial_products_cap.0[0].0[0] ^= 1
        }),
        ("quotient's cap", |p| {
            p.plonky2.proof.quotient_polys_cap.0[7].0[13] ^= 1
        }),
        ("constants", |p| {
            p.plonky2.proof.openings.constants[0].0[1] += PlonkField::ONE
        }),
        ("sigmas", |p| {
            p.plonky2.proof.openings.plonk_sigmas[36].0[0] += PlonkField::ONE
        }),
        ("wires", |p| {
            p.plonky2.proof.openings.wires[134].0[0] += PlonkField::ONE
        }),
        ("products", |p| {
            p.plonky2.proof.openings.plonk_zs[1].0[1] += PlonkField::ONE
        }),
        ("next products", |p| {
            p.plonky2.proof.openings.plonk_zs_next[0].0[0] += PlonkField::ONE
        }),
        ("quotient", |p| {
            p.plonky2.proof.openings.quotient_polys[0].0[0] += PlonkField::ONE
        }),
        ("fold's cap", |p| {
            p.plonky2.proof.opening_proof.commit_phase_merkle_caps[0].0[3].0[20] ^= 128;
        }),
        ("final polynomial", |p| {
            p.plonky2.proof.opening_proof.final_poly.coeffs[0].0[0] += PlonkField::ONE;
        }),
        ("row", |p| {
            let query = &mut p.plonky2.proof.opening_proof.query_round_proofs[1];
            query.initial_trees_proof.evals_proofs[1].0[134] += PlonkField::ONE;
        }),
        ("path", |p| {
            let query = &mut p.plonky2.proof.opening_proof.query_round_proofs[0];
            query.initial_trees_proof.evals_proofs[3].1.siblings[2].0[25] ^= 1;
        }),
        ("fold's elements", |p| {
            let query = &mut p.plonky2.proof.opening_proof.query_round_proofs[0];
            query.steps[0].evals[15].0[1] += PlonkField::ONE;
        }),
        ("point's nonce", |p| p.nonces.point += PlonkField::ONE),
        ("fold's nonce", |p| p.nonces.folds[1] += PlonkField::ONE),
    ];
    for (part, damage) in parts {
        let mut proof = PROOF.clone();
        damage(&mut proof);
        assert!(!accepts(&proof), "{part}");
    }
}

/// What the transcript sees of the proof.
fn messages() -> Messages<PlonkField, KeccakDigest> {
    let hash: HashOut<PlonkField> = Poseidon2Hash::hash_no_pad(PROOF.public_inputs());
    sent_values(&PROOF, &CIRCUIT.verifier_only, &hash)
}

fn challenges(messages: &Messages<PlonkField, KeccakDigest>) -> Challenges<PlonkField> {
    let sponge = KeccakSponge::default();
    messages
        .challenges(sponge, &CIRCUIT.common, Grinding::default())
        .unwrap()
}

#[test]
fn whatever_is_observed_changes_the_challenges_after_it() {
    type Change = fn(&mut Messages<PlonkField, KeccakDigest>);
    let changes: [Change; 9] = [
        |m| m.circuit_digest.0[25] ^= 1,
        |m| m.public_inputs_hash[3] += PlonkField::ONE,
        |m| m.wires[15].0[25] ^= 1,
        |m| m.products[0].0[0] ^= 1,
        |m| m.quotient[9].0[11] ^= 1,
        |m| m.openings[100][1] += PlonkField::ONE,
        |m| m.rounds[1][15].0[0] ^= 1,
        |m| m.final_polynomial[0][0] += PlonkField::ONE,
        |m| m.query_nonce += PlonkField::ONE,
    ];
    let before = challenges(&messages());
    for change in changes {
        let mut sent = messages();
        change(&mut sent);
        let after = challenges(&sent);
        assert!(
            before
                .queries
                .iter()
                .zip(&after.queries)
                .all(|(a, b)| a != b)
        );
    }
    assert_ne!(before.zeta, before.batch);
    assert_eq!(
        before.folds.len(),
        CIRCUIT.common.fri_params.reduction_arity_bits.len()
    );
    assert!(
        before
            .folds
            .iter()
            .all(|fold| !crate::plonk::Extension::from_basefield_array(*fold).is_zero())
    );
}
