//! Settlement proofs: made of validity proofs, refused when altered anywhere.

use super::*;
use crate::settlement::circuit::Restating;
use crate::wire::{WireError, decode_proof};
use crate::{
    SettlementError, SettlementKey, SettlementKeyError, SettlementProof, SettlementProver,
    SettlementVerifyError, verify, verify_settlement,
};
use shardfold_protocol::envelope::HEADER_BYTES;
use shardfold_protocol::field::MODULUS;
use shardfold_recursion::plonk::{
    PlonkConfig, PlonkProof, PlonkVerifyError, verify as verify_plonk,
};
use shardfold_recursion::tree::narrow_common_data;

static PROVER: LazyLock<SettlementProver> =
    LazyLock::new(|| SettlementProver::build(TREE.aggregator.verification_key().clone()).unwrap());

static PROOF: LazyLock<SettlementProof> = LazyLock::new(|| PROVER.prove(&VALID).unwrap());

/// What the verifier says to these bytes; a caught panic of plonky2 fails the test as well.
fn refusal(bytes: Vec<u8>) -> Option<SettlementVerifyError> {
    let proof = SettlementProof::from_calldata(bytes);
    match verify_settlement(&PROVER.key(), &proof) {
        Ok(_) => None,
        Err(SettlementVerifyError::Invalid(PlonkVerifyError::Panicked)) => {
            panic!("plonky2 panicked")
        }
        Err(error) => Some(error),
    }
}

#[test]
fn it_states_what_the_validity_proof_states() {
    let stated = verify(TREE.aggregator.verification_key(), &VALID).unwrap();
    assert_eq!(verify_settlement(&PROVER.key(), &PROOF).unwrap(), stated);
    assert_eq!(stated, statement(CHAIN, 0, 11));
    // The chain reads the statement off the first bytes.
    let elements = statement_to_plonk(&stated);
    let bytes: Vec<u8> = elements
        .iter()
        .flat_map(|element| element.0.to_be_bytes())
        .collect();
    assert_eq!(PROOF.calldata()[..bytes.len()], bytes);
}

#[test]
fn a_file_survives_the_round_trip_and_says_what_it_is() {
    let file = PROOF.to_bytes();
    assert_eq!(SettlementProof::from_bytes(&file).unwrap(), *PROOF);
    assert_eq!(&file[HEADER_BYTES..], PROOF.calldata());
    assert!(SettlementProof::from_bytes(&file[1..]).is_err());
    assert!(SettlementProof::from_bytes(&VALID.to_bytes()).is_err());
    assert!(ValidityProof::from_bytes(&file).is_err());
}

#[test]
fn no_byte_can_be_changed() {
    let bytes = PROOF.calldata();
    // All of the statement and the caps, and one of each few bytes after them.
    let places = (0..1700).chain((1700..bytes.len()).step_by(61));
    for place in places {
        let mut altered = bytes.to_vec();
        altered[place] ^= 1 << (place % 8);
        assert!(refusal(altered).is_some(), "byte {place}");
    }
}

#[test]
fn other_lengths_and_elements_that_are_not_canonical_are_refused() {
    let bytes = PROOF.calldata();
    for length in [0, 1, 391, bytes.len() - 1, bytes.len() + 1] {
        let mut altered = bytes.to_vec();
        altered.resize(length, 0);
        let expected = WireError::Length {
            found: length,
            expected: bytes.len(),
        };
        let Some(SettlementVerifyError::Malformed(error)) = refusal(altered) else {
            panic!("{length} bytes")
        };
        assert_eq!(error, expected);
    }
    // The same statement, written another way.
    let mut altered = bytes.to_vec();
    let value = u64::from_be_bytes(altered[..8].try_into().unwrap()) + MODULUS;
    altered[..8].copy_from_slice(&value.to_be_bytes());
    let Some(SettlementVerifyError::Malformed(error)) = refusal(altered) else {
        panic!("an element of p or more")
    };
    assert_eq!(error, WireError::NotCanonical { offset: 0, value });
}

#[test]
fn a_false_validity_proof_is_not_wrapped() {
    let mut bytes = VALID.to_bytes();
    let last = bytes.len() - 1_000;
    bytes[last] ^= 1;
    let altered = ValidityProof::from_bytes(&bytes).unwrap();
    assert!(matches!(
        PROVER.prove(&altered),
        Err(SettlementError::Refused(_))
    ));
}

/// The native verifier is passed by: the circuit alone refuses what is no proof, and another statement
/// than the proof's.
#[test]
fn what_is_no_proof_of_the_key_does_not_satisfy_the_circuit() {
    let key = TREE.aggregator.verification_key();
    let last = decode_proof(VALID.proof(), &key.common).unwrap();
    let (common, grinding) = (narrow_common_data(PROFILE), PROFILE.narrow().grinding);
    let circuit: Restating<PlonkConfig> =
        Restating::build("narrow", &key.key, &key.common, key.grinding(), &common).unwrap();
    let is_proven = |last: &PlonkProof| {
        let witness = circuit.witness(last).unwrap();
        let proof = prove(&circuit.circuit, grinding, witness);
        proof.is_ok_and(|proof| verify_plonk(circuit.key(), &common, grinding, &proof).is_ok())
    };
    assert!(is_proven(&last));
    let mut other = last.clone();
    other.plonky2.public_inputs[1] += PlonkField::ONE;
    assert!(!is_proven(&other));
    let mut other = last.clone();
    other.plonky2.proof.openings.wires[0].0[0] += PlonkField::ONE;
    assert!(!is_proven(&other));
    let mut other = last;
    other.nonces.batch += PlonkField::ONE;
    assert!(!is_proven(&other));
}

#[test]
fn the_outer_key_pins_the_last_key() {
    let mut key = TREE.aggregator.verification_key().clone();
    key.key.circuit_digest.elements[0] += PlonkField::ONE;
    let other = SettlementProver::build(key).unwrap();
    assert_ne!(other.key(), PROVER.key());
    assert!(verify_settlement(&other.key(), &PROOF).is_err());
    assert!(matches!(
        other.prove(&VALID),
        Err(SettlementError::Refused(_))
    ));
}

#[test]
fn a_key_survives_the_round_trip_and_no_other_bytes_are_it() {
    let key = PROVER.key();
    let file = key.to_bytes();
    assert_eq!(SettlementKey::from_bytes(&file).unwrap(), key);
    let mut altered = file.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        SettlementKey::from_bytes(&altered),
        Err(SettlementKeyError::Digest)
    );
    for end in 0..file.len() {
        assert!(SettlementKey::from_bytes(&file[..end]).is_err());
    }
    let longer = [file.as_slice(), &[0; 26]].concat();
    assert!(SettlementKey::from_bytes(&longer).is_err());
}
