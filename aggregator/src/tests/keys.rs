use super::*;
use crate::{KeyError, ProofError, VerificationKey, VerifyError, verify};
use sha2::Digest as _;
use shardfold_protocol::envelope::{EnvelopeError, FileKind, HEADER_BYTES};

#[test]
fn a_key_survives_the_file_and_verifies() {
    let key = TREE.aggregator.verification_key();
    let read = VerificationKey::from_bytes(&key.to_bytes()).unwrap();
    assert_eq!(read, *key);
    assert_eq!(read.id(), key.id());
    assert_eq!(read.profile(), "unsound-test");
    assert_eq!(verify(&read, &VALID).unwrap(), statement(CHAIN, 0, 11));
}

/// Ids were made over the whole file once, and are pinned: they stay as they were.
#[test]
fn the_id_does_not_depend_on_the_header() {
    let key = TREE.aggregator.verification_key();
    let mut old_file = b"SFVKEY\n\0\x01\0\0\0".to_vec();
    old_file.extend(&key.to_bytes()[HEADER_BYTES..]);
    assert_eq!(key.id(), *sha2::Sha256::digest(&old_file));
}

#[test]
fn keys_and_proofs_are_not_taken_for_each_other() {
    let key = TREE.aggregator.verification_key().to_bytes();
    let refused = ValidityProof::from_bytes(&key).unwrap_err();
    let (found, expected) = (FileKind::Key as u16, FileKind::Proof);
    assert_eq!(
        refused,
        ProofError(EnvelopeError::WrongKind { found, expected })
    );
    let refused = VerificationKey::from_bytes(&VALID.to_bytes()).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.contains("found kind 5 (shardfold-proof)"),
        "{message}"
    );
    assert!(message.contains("expected 6 (shardfold-key)"), "{message}");
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
        let refused = VerificationKey::from_bytes(&longer);
        assert!(matches!(
            refused,
            Err(KeyError::Envelope(EnvelopeError::PayloadLength { .. }))
        ));
        // A header that agrees with it does not help.
        let mut longer = longer;
        let payload = (longer.len() - HEADER_BYTES) as u64;
        longer[12..HEADER_BYTES].copy_from_slice(&payload.to_le_bytes());
        assert_eq!(VerificationKey::from_bytes(&longer), Err(KeyError::Format));
    }
}

#[test]
fn a_key_of_an_unknown_profile_is_refused() {
    let mut bytes = TREE.aggregator.verification_key().to_bytes();
    bytes[HEADER_BYTES + 1..HEADER_BYTES + 13].copy_from_slice(b"unsound-tesT");
    assert_eq!(VerificationKey::from_bytes(&bytes), Err(KeyError::Profile));
}

#[test]
fn a_proof_is_refused_under_the_key_of_another_tree() {
    // The same common data, another set of leaf circuits: another aggregation key.
    let key = TREE.aggregator.verification_key();
    let (common, grinding) = (key.data.common.clone(), key.grinding);
    let keys = vec![TREE.leaves[0].circuit.verifier_only.clone()];
    let circuit = AggregationCircuit::build(&common, keys, ARITY, grinding).unwrap();
    let other = Aggregator::new(&PlonkParameters::UNSOUND_TEST, circuit).unwrap();
    let key = other.verification_key();
    assert_ne!(key.id(), TREE.aggregator.verification_key().id());
    assert!(matches!(verify(key, &VALID), Err(VerifyError::KeySlot)));
}
