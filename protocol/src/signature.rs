//! Schnorr signatures over EcGFp5 with 128-bit challenges.
//!
//! The signer of message m (a digest) with secret key d and public key P = d G takes a nonce
//! k, R = k G, a challenge e and s = k + e d mod n; the signature is (R, s). It is checked by
//! s G = R + e P. The challenge is the first two elements of
//! hash(Challenge, w_R, owner(P), m), so it binds the key and the nonce. 128 bits are enough for
//! 128-bit security, since a challenge need not resist collisions (Neven, Smart, Warinschi,
//! "Hash function requirements for Schnorr signatures", 2009), and they halve the
//! variable-base work.

mod equation;
mod many;

use core::fmt;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Serialize};

use crate::curve::{AffinePoint, F5, Point, Scalar, elements};
use crate::field::F;
use crate::hash::{Digest, Domain, blocks, hash};

pub use many::{Claim, Verdict, verify_many};

/// Elements under the hash of a challenge: w_R, the owner, the message.
pub const CHALLENGE_ELEMENTS: usize = 13;
/// Elements under the hash of an owner.
pub const OWNER_ELEMENTS: usize = 5;
/// How many permutations the proof of a signature takes: owner and challenge.
pub const SIGNATURE_PERMUTATIONS: usize = blocks(OWNER_ELEMENTS) + blocks(CHALLENGE_ELEMENTS);

/// A public key: any element of the group but the neutral one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub AffinePoint);

impl PublicKey {
    /// Returns the digest by which records name their owner: the hash of the key's encoding w.
    pub fn owner(&self) -> Digest {
        hash(Domain::Owner, &elements(&self.0.encode()))
    }

    /// Returns whether a signature of a message is valid under this key. Takes variable time.
    #[must_use]
    pub fn verify(&self, message: &Digest, signature: &Signature) -> bool {
        if !self.0.is_in_group() || !signature.r.is_in_group() {
            return false;
        }
        let e = challenge_scalar(&challenge(&signature.r, &self.owner(), message));
        Point::mul_generator(&signature.s) == Point::from(self.0).mul_u128(e) + signature.r
    }
}

/// A signature of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// R = k G, the commitment to the nonce.
    pub r: AffinePoint,
    /// s = k + e d mod n.
    pub s: Scalar,
}

/// Returns what is hashed to a challenge: w_R, the owner digest of the key, the message.
pub fn challenge_message(
    r: &AffinePoint,
    owner: &Digest,
    message: &Digest,
) -> [F; CHALLENGE_ELEMENTS] {
    under_challenge(&r.encode(), owner, message)
}

/// [`challenge_message`] of an encoding.
fn under_challenge(w: &F5, owner: &Digest, message: &Digest) -> [F; CHALLENGE_ELEMENTS] {
    let mut out = [F::ZERO; CHALLENGE_ELEMENTS];
    out[..5].copy_from_slice(&elements(w));
    out[5..9].copy_from_slice(owner);
    out[9..].copy_from_slice(message);
    out
}

/// Returns the digest whose first two elements are the challenge.
pub fn challenge(r: &AffinePoint, owner: &Digest, message: &Digest) -> Digest {
    hash(Domain::Challenge, &challenge_message(r, owner, message))
}

/// Returns the challenge e = h0 + 2^64 h1 of a digest, h0 and h1 as canonical integers.
#[must_use]
pub fn challenge_scalar(digest: &Digest) -> u128 {
    let [low, high, ..] = digest.map(|element| u128::from(element.as_canonical_u64()));
    low | high << 64
}

/// A secret key with its public key. Its debug form shows the public key only.
#[derive(Clone)]
pub struct SecretKey {
    scalar: Scalar,
    public_key: PublicKey,
    owner: Digest,
}

impl SecretKey {
    /// Returns the key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let (seed_words, _) = seed.as_chunks::<4>();
        let seed_elements: Vec<F> = seed_words
            .iter()
            .map(|word| F::from_u32(u32::from_le_bytes(*word)))
            .collect();
        let (scalar, point) = expand_to_pair(Domain::SecretKey, &seed_elements);
        let public_key = PublicKey(point);
        Self {
            scalar,
            public_key,
            owner: public_key.owner(),
        }
    }

    /// Key number `index` of a family of keys: for generated workloads, whose keys protect
    /// nothing (the seed has only 64 bits).
    #[must_use]
    pub fn from_index(seed: u64, index: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        Self::from_seed(&bytes)
    }

    /// Returns the public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Returns the owner digest of the public key.
    pub const fn owner(&self) -> Digest {
        self.owner
    }

    /// Signs a message. The nonce depends on the key and the message alone, so signing twice
    /// gives the same signature. Takes variable time.
    #[must_use]
    pub fn sign(&self, message: &Digest) -> Signature {
        let limbs = self
            .scalar
            .words()
            .map(|word| [word as u32, (word >> 32) as u32]);
        let secret: Vec<F> = limbs
            .as_flattened()
            .iter()
            .copied()
            .map(F::from_u32)
            .collect();
        let (k, r) = expand_to_pair(Domain::Nonce, &[&secret, &message[..]].concat());
        let e = challenge_scalar(&challenge(&r, &self.owner, message));
        Signature {
            r,
            s: k + Scalar::from(e) * self.scalar,
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// A nonzero scalar k and k G, from a secret message: k is made of the eight elements of the
/// hashes of the message with 2 i and 2 i + 1 in front, for the first i whose k is not zero.
fn expand_to_pair(domain: Domain, secret: &[F]) -> (Scalar, AffinePoint) {
    let block = |i: u32| hash(domain, &[&[F::from_u32(i)], secret].concat());
    (0..)
        .find_map(|i| {
            let ([c0, c1, c2, c3], [c4, c5, c6, c7]) = (block(2 * i), block(2 * i + 1));
            let k = Scalar::from_uniform(&[c0, c1, c2, c3, c4, c5, c6, c7]);
            Some((k, Point::mul_generator(&k).to_affine()?))
        })
        .expect("a hash is not zero modulo n for ever")
}

#[cfg(test)]
mod tests;
