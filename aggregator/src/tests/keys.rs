use super::*;
use crate::{KeyError, VerificationKey, VerifyError, verify};

#[test]
fn a_key_survives_the_file_and_verifies() {
    let key = TREE.aggregator.verification_key();
    let read = VerificationKey::from_bytes(&key.to_bytes()).unwrap();
    assert_eq!(read, *key);
    assert_eq!(read.id(), key.id());
    assert_eq!(read.profile(), "unsound-test");
    assert_eq!(verify(&read, &VALID).unwrap(), statement(CHAIN, 0, 11));
}

#[test]
fn every_flipped_bit_of_a_key_is_noticed() {
    // Either the key is refused, or (never, as the digest covers cap and degree) it is another
    // key, under which the proof is refused.
    let bytes = TREE.aggregator.verification_key().to_bytes();
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[byte] ^= 1 << bit;
            assert!(
                VerificationKey::from_bytes(&altered).is_err(),
                "bit {bit} of byte {byte}"
            );
        }
    }
}

#[test]
fn a_truncated_or_extended_key_is_refused() {
    let bytes = TREE.aggregator.verification_key().to_bytes();
    for length in 0..bytes.len() {
        assert!(
            VerificationKey::from_bytes(&bytes[..length]).is_err(),
            "{length} bytes"
        );
    }
    for extra in [1, 7, 8, 32] {
        let longer = [bytes.as_slice(), &vec![0; extra]].concat();
        assert_eq!(VerificationKey::from_bytes(&longer), Err(KeyError::Format));
    }
}

#[test]
fn a_key_of_an_unknown_profile_is_refused() {
    let mut bytes = TREE.aggregator.verification_key().to_bytes();
    bytes[13..25].copy_from_slice(b"unsound-tesT");
    assert_eq!(VerificationKey::from_bytes(&bytes), Err(KeyError::Profile));
}

#[test]
fn a_proof_is_refused_under_the_key_of_another_tree() {
    // The same common data, another set of leaf circuits: another fold key.
    let common = TREE.aggregator.verification_key().data.common.clone();
    let keys = vec![TREE.leaves[0].circuit.verifier_only.clone()];
    let fold = FoldCircuit::build(&common, keys, ARITY).unwrap();
    let other = Aggregator::new(&PlonkParameters::UNSOUND_TEST, fold).unwrap();
    let key = other.verification_key();
    assert_ne!(key.id(), TREE.aggregator.verification_key().id());
    assert!(matches!(verify(key, &VALID), Err(VerifyError::KeySlot)));
}
