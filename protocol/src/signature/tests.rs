use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;

use super::*;
use crate::curve::testing::outside;
use crate::curve::{F5, GENERATOR, ORDER};
use crate::field::{MODULUS, canonical};
use crate::hash::ZERO_DIGEST;

const CHAIN: F = F::TWO;
const EXIT: Address = Address([7; 20]);
const OTHER_EXIT: Address = Address([8; 20]);

fn message(seed: u32) -> Digest {
    core::array::from_fn(|i| F::from_u32(seed) * F::from_usize(i + 1))
}

fn signed() -> (PublicKey, Digest, Signature) {
    let key = SecretKey::from_seed(&[7; 32]);
    let message = message(3);
    (key.public_key(), message, key.sign(CHAIN, &EXIT, &message))
}

#[test]
fn every_flipped_element_of_the_message_is_rejected() {
    let (public_key, message, signature) = signed();
    assert!(public_key.verify(CHAIN, &EXIT, &message, &signature));
    for i in 0..4 {
        let mut flipped = message;
        flipped[i] += F::ONE;
        assert!(!public_key.verify(CHAIN, &EXIT, &flipped, &signature));
    }
}

#[test]
fn every_flipped_bit_of_s_is_rejected() {
    let (public_key, message, signature) = signed();
    let mut tried = 0;
    for i in 0..320 {
        let mut words = signature.s.words();
        words[i / 64] ^= 1 << (i % 64);
        if let Ok(s) = Scalar::from_words(words) {
            assert!(!public_key.verify(CHAIN, &EXIT, &message, &Signature { s, ..signature }));
            tried += 1;
        }
    }
    assert!(tried > 300);
}

#[test]
fn another_commitment_is_rejected() {
    let (public_key, message, signature) = signed();
    let other = Point::from(signature.r).double().to_affine().unwrap();
    for r in [-signature.r, other, *GENERATOR] {
        assert!(!public_key.verify(CHAIN, &EXIT, &message, &Signature { r, ..signature }));
    }
}

#[test]
fn another_key_is_rejected() {
    let (public_key, message, signature) = signed();
    let other = SecretKey::from_seed(&[8; 32]).public_key();
    assert!(!other.verify(CHAIN, &EXIT, &message, &signature));
    assert!(!PublicKey(-public_key.0).verify(CHAIN, &EXIT, &message, &signature));
}

#[test]
fn a_signature_valid_for_another_owner_digest_is_rejected() {
    let (k, d) = (Scalar::from(5), Scalar::from(7));
    let r = Point::mul_generator(&k).to_affine().unwrap();
    let public_key = PublicKey(Point::mul_generator(&d).to_affine().unwrap());
    let message = message(1);
    let sign = |owner: Digest| {
        let e = Scalar::from(challenge_scalar(&challenge(CHAIN, &r, &owner, &message)));
        Signature { r, s: k + e * d }
    };
    assert!(public_key.verify(
        CHAIN,
        &EXIT,
        &message,
        &sign(public_key.owner(CHAIN, &EXIT))
    ));
    assert!(!public_key.verify(CHAIN, &EXIT, &message, &sign(ZERO_DIGEST)));
}

#[test]
fn a_key_or_commitment_outside_of_the_group_is_rejected() {
    let (public_key, message, signature) = signed();
    let origin = AffinePoint {
        x: F5::ZERO,
        y: F5::ZERO,
    };
    let off_curve = AffinePoint {
        y: signature.r.y.double(),
        ..signature.r
    };
    for r in [outside(&signature.r), origin, off_curve] {
        assert!(!public_key.verify(CHAIN, &EXIT, &message, &Signature { r, ..signature }));
    }
    for point in [outside(&public_key.0), origin] {
        assert!(!PublicKey(point).verify(CHAIN, &EXIT, &message, &signature));
    }
}

#[test]
fn a_signature_with_s_plus_n_does_not_deserialise() {
    let (_, _, signature) = signed();
    let mut bytes = bincode::serialize(&signature).unwrap();
    assert_eq!(bytes.len(), 120);
    assert_eq!(
        bincode::deserialize::<Signature>(&bytes).unwrap(),
        signature
    );
    let mut carry = 0;
    for (i, word) in ORDER.iter().enumerate() {
        let at = 80 + 8 * i..88 + 8 * i;
        let old = u64::from_le_bytes(bytes[at.clone()].try_into().unwrap());
        let sum = u128::from(old) + u128::from(*word) + carry;
        bytes[at].copy_from_slice(&(sum as u64).to_le_bytes());
        carry = sum >> 64;
    }
    assert_eq!(carry, 0);
    assert!(bincode::deserialize::<Signature>(&bytes).is_err());
}

#[test]
fn owner_and_challenge_are_the_documented_hashes() {
    let (public_key, message, signature) = signed();
    let owner = public_key.owner(CHAIN, &EXIT);
    let under_hash = [
        &[CHAIN][..],
        &elements(&public_key.0.encode()),
        &EXIT.elements(),
    ]
    .concat();
    assert_eq!(owner, hash(Domain::Owner, &under_hash));
    let under_hash = [
        &[CHAIN][..],
        &elements(&signature.r.encode()),
        &owner,
        &message,
    ]
    .concat();
    let digest = hash(Domain::Challenge, &under_hash);
    assert_eq!(challenge(CHAIN, &signature.r, &owner, &message), digest);
    // The largest element, one below p, and two: e = (p - 1) + 2^64 * 2.
    let largest = canonical(MODULUS - 1).unwrap();
    let words = [largest, F::TWO, F::ONE, F::ONE];
    assert_eq!(challenge_scalar(&words), 0x2_ffff_ffff_0000_0000);
}

#[test]
fn signing_is_deterministic_and_nonces_differ() {
    let key = SecretKey::from_index(1, 2);
    assert_eq!(
        key.sign(CHAIN, &EXIT, &message(1)),
        key.sign(CHAIN, &EXIT, &message(1))
    );
    assert_ne!(
        key.sign(CHAIN, &EXIT, &message(1)).r,
        key.sign(CHAIN, &EXIT, &message(2)).r
    );
    assert_ne!(
        key.sign(CHAIN, &EXIT, &message(1)).r,
        SecretKey::from_index(2, 1)
            .sign(CHAIN, &EXIT, &message(1))
            .r
    );
}

#[test]
fn another_exit_address_of_the_same_key_is_another_owner() {
    let (public_key, message, signature) = signed();
    let owner = public_key.owner(CHAIN, &EXIT);
    assert_ne!(owner, public_key.owner(CHAIN, &OTHER_EXIT));
    assert!(!public_key.verify(CHAIN, &OTHER_EXIT, &message, &signature));
}

#[test]
fn a_signature_for_another_chain_is_rejected() {
    let (public_key, message, signature) = signed();
    let owner = public_key.owner(CHAIN, &EXIT);
    assert_ne!(owner, public_key.owner(F::ONE, &EXIT));
    assert!(!public_key.verify(F::ONE, &EXIT, &message, &signature));
}

/// Two challenges with one nonce would give the key away: (s - s') / (e - e').
#[test]
fn whatever_changes_the_challenge_changes_the_nonce() {
    let key = SecretKey::from_seed(&[7; 32]);
    let nonces = [
        key.sign(CHAIN, &EXIT, &message(3)).r,
        key.sign(F::ONE, &EXIT, &message(3)).r,
        key.sign(CHAIN, &OTHER_EXIT, &message(3)).r,
        key.sign(CHAIN, &EXIT, &message(4)).r,
    ];
    for (i, nonce) in nonces.iter().enumerate() {
        assert!(!nonces[..i].contains(nonce), "{i}");
    }
}

#[test]
fn accounts_of_a_family_differ_in_key_and_exit_address() {
    let accounts = [(1, 2), (2, 1), (1, 3)].map(|(seed, i)| Account::from_index(seed, i));
    for (i, one) in accounts.iter().enumerate() {
        for other in &accounts[..i] {
            assert_ne!(one.public_key(), other.public_key());
            assert_ne!(one.exit_address, other.exit_address);
        }
    }
}

#[test]
fn the_debug_form_shows_the_public_key_only() {
    let key = SecretKey::from_seed(&[1; 32]);
    let text = format!("{key:?}");
    assert!(text.contains("public_key"));
    assert!(!text.contains(&key.scalar.words()[0].to_string()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_key_signs_verifies_under_it(seed in any::<[u8; 32]>(), number in any::<u32>()) {
        let key = SecretKey::from_seed(&seed);
        let message = message(number);
        let signature = key.sign(CHAIN, &EXIT, &message);
        prop_assert!(key.public_key().verify(CHAIN, &EXIT, &message, &signature));
        let text = serde_json::to_string(&signature).unwrap();
        prop_assert_eq!(serde_json::from_str::<Signature>(&text).unwrap(), signature);
    }
}
