//! The verifier against thousands of altered proofs: all refused, none by a panic.

use super::*;
use crate::wire::{WireError, decode_proof, proof_bytes};
use crate::{ProofError, VerifyError, verify};
use shardfold_protocol::envelope::{EnvelopeError, HEADER_BYTES};
use shardfold_protocol::field::MODULUS;
use shardfold_recursion::plonk::PlonkVerifyError;

const HEADER: usize = HEADER_BYTES;

/// A small generator of random numbers with a fixed seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// How many nonces stand at a proof's end.
fn nonces(common: &CommonData) -> usize {
    2 + common.fri_params.reduction_arity_bits.len()
}

/// What the verifier says to these bytes; a caught panic of plonky2 fails the test as well.
fn refused(bytes: &[u8]) -> bool {
    let Ok(proof) = ValidityProof::from_bytes(bytes) else {
        return true;
    };
    match verify(TREE.aggregator.verification_key(), &proof) {
        Ok(_) => false,
        Err(VerifyError::Invalid(PlonkVerifyError::Panicked)) => panic!("plonky2 panicked"),
        Err(_) => true,
    }
}

#[test]
fn the_unaltered_proof_is_accepted() {
    let bytes = VALID.to_bytes();
    assert!(!refused(&bytes));
    let common = &TREE.aggregator.verification_key().data.common;
    assert_eq!(bytes.len(), HEADER + proof_bytes(common));
    assert_eq!(ValidityProof::from_bytes(&bytes).unwrap(), *VALID);
}

#[test]
fn flipped_bits() {
    let bytes = VALID.to_bytes();
    let mut random = Random(1);
    for i in 0..1200 {
        // Every bit of the header and of the last words, and random ones between.
        let bit = match i {
            0..160 => i,
            160..224 => 8 * bytes.len() - 1 - 8 * (i - 160),
            _ => random.below(8 * bytes.len()),
        };
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(&altered), "bit {bit}");
    }
}

#[test]
fn truncations_and_extensions() {
    let bytes = VALID.to_bytes();
    let mut random = Random(2);
    for i in 0..400 {
        let length = if i < 40 { i } else { random.below(bytes.len()) };
        assert!(refused(&bytes[..length]), "{length} bytes");
    }
    for extra in [1, 8, 64, 4096] {
        assert!(refused(&[bytes.as_slice(), &vec![0; extra]].concat()));
        assert!(refused(&[bytes.as_slice(), &bytes[..extra]].concat()));
    }
}

#[test]
fn splices_of_two_valid_proofs() {
    let bytes = VALID.to_bytes();
    let other = TREE
        .aggregator
        .aggregate_all(LEAVES[..1].to_vec())
        .unwrap()
        .to_bytes();
    assert_eq!(bytes.len(), other.len());
    assert!(!refused(&other));
    let mut random = Random(3);
    for _ in 0..500 {
        let start = random.below(bytes.len());
        let end = start + 1 + random.below(bytes.len() - start);
        let mut spliced = bytes.clone();
        spliced[start..end].copy_from_slice(&other[start..end]);
        if spliced != bytes && spliced != other {
            assert!(refused(&spliced), "bytes {start}..{end}");
        }
        // A stretch moved within the proof, so that everything after it is out of step.
        let mut moved = bytes.clone();
        moved.drain(start..end);
        let gap = random.below(moved.len() + 1);
        moved.splice(gap..gap, bytes[start..end].to_vec());
        if moved != bytes {
            assert!(refused(&moved), "bytes {start}..{end} moved to {gap}");
        }
    }
}

#[test]
fn words_that_are_no_canonical_elements() {
    let bytes = VALID.to_bytes();
    let key = TREE.aggregator.verification_key();
    // The caps and openings stand first, unbroken by lengths; the nonces last.
    let nonces = nonces(&key.data.common);
    let mut random = Random(4);
    for i in 0..300 {
        let at = match i < nonces {
            true => bytes.len() - 8 * (i + 1),
            false => HEADER + 8 * random.below(400),
        };
        let old = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        // x + p is another integer for the same element where it fits 64 bits.
        for value in [
            MODULUS,
            u64::MAX,
            old.checked_add(MODULUS).unwrap_or(MODULUS + 1),
        ] {
            let mut altered = bytes.clone();
            altered[at..at + 8].copy_from_slice(&value.to_le_bytes());
            let proof = ValidityProof::from_bytes(&altered).unwrap();
            assert!(matches!(
                verify(key, &proof),
                Err(VerifyError::Malformed(WireError::NotCanonical { .. }))
            ));
        }
    }
}

#[test]
fn nonces_of_another_value_or_count() {
    let bytes = VALID.to_bytes();
    let key = TREE.aggregator.verification_key();
    let nonces = nonces(&key.data.common);
    for i in 0..nonces {
        let at = bytes.len() - 8 * (i + 1);
        let old = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        // One of two nonces answers one bit, but the proof is of its own nonces.
        for step in 1..8 {
            let mut altered = bytes.clone();
            altered[at..at + 8].copy_from_slice(&(old + step).to_le_bytes());
            assert!(refused(&altered), "nonce {i}");
        }
    }
    // Without header, so that only the length is another.
    let proof = &bytes[HEADER..];
    for other in [&proof[..proof.len() - 8], &[proof, &[0; 8]].concat()] {
        assert!(matches!(
            decode_proof(other, &key.data.common),
            Err(WireError::Length { found, .. }) if found == other.len()
        ));
    }
}

#[test]
fn attacks_on_every_length_field() {
    let bytes = VALID.to_bytes();
    let key = TREE.aggregator.verification_key();
    let common = &key.data.common;
    // The count of public inputs stands before them; behind them are the nonces.
    let count = bytes.len() - 8 * (nonces(common) + common.num_public_inputs + 1);
    for value in [
        0,
        1,
        common.num_public_inputs as u64 - 1,
        1 << 20,
        1 << 40,
        u64::MAX,
    ] {
        let mut altered = bytes.clone();
        altered[count..count + 8].copy_from_slice(&value.to_le_bytes());
        let proof = ValidityProof::from_bytes(&altered).unwrap();
        assert!(matches!(
            verify(key, &proof),
            Err(VerifyError::Malformed(WireError::Shape { .. }))
        ));
    }
    // The path lengths are the bytes that the decoder names when they change.
    let mut paths = 0;
    for at in HEADER..count {
        let mut altered = bytes.clone();
        altered[at] = altered[at].wrapping_add(1);
        let proof = ValidityProof::from_bytes(&altered).unwrap();
        if matches!(
            decode_proof(proof.proof(), common),
            Err(WireError::Shape { .. })
        ) {
            paths += 1;
            for value in [0, 1, 128, 255] {
                altered[at] = value;
                assert!(refused(&altered), "path length {value} at byte {at}");
            }
        }
    }
    let queries = common.config.fri_config.num_query_rounds;
    assert_eq!(
        paths,
        queries * (4 + common.fri_params.reduction_arity_bits.len())
    );
}

#[test]
fn bytes_of_any_kind() {
    let length = VALID.to_bytes().len();
    let header = &VALID.to_bytes()[..HEADER];
    for fill in [0u8, 1, 0x7f, 0xff] {
        assert!(refused(&vec![fill; length]));
        assert!(refused(&[header, &vec![fill; length - HEADER]].concat()));
    }
    let huge = [header, &vec![0; 16 << 20]].concat();
    assert!(matches!(
        ValidityProof::from_bytes(&huge),
        Err(ProofError(EnvelopeError::TooLarge { .. }))
    ));
    for (version, what_to_do) in [
        (1, "the build that made it verifies it"),
        (2, "the build that made it verifies it"),
        (4, "a later build wrote it"),
    ] {
        let mut other = VALID.to_bytes();
        other[10] = version;
        let error = ValidityProof::from_bytes(&other).unwrap_err();
        assert!(matches!(
            error,
            ProofError(EnvelopeError::WrongVersion { found, .. }) if found == u64::from(version)
        ));
        assert!(error.to_string().contains(what_to_do), "{error}");
    }
}
