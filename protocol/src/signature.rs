//! Schnorr signatures over EcGFp5 with 128-bit challenges.
//!
//! The signer of message m (a digest) with secret key d and public key P = d G takes a nonce
//! k, R = k G, a challenge e and s = k + e d mod n; the signature is (R, s). It is checked by
//! s G = R + e P. The challenge is the first two elements of
//! hash(Challenge, chain id, w_R, owner, m), where owner = hash(Owner, chain id, w_P, exit
//! address), so it binds the chain, the key, its exit address and the nonce. 128 bits are enough for
//! 128-bit security, since a challenge need not resist collisions (Neven, Smart, Warinschi,
//! "Hash function requirements for Schnorr signatures", 2009), and they halve the
//! variable-base work.

mod account;
mod equation;
mod many;

use core::fmt;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::curve::{AffinePoint, F5, Point, Scalar, elements};
use crate::field::F;
use crate::hash::{Digest, Domain, blocks, hash};

pub use account::Account;
pub use many::{Claim, Verdict, verify_many};

/// Elements under the hash of an owner: the chain id, w_P, the exit address.
pub const OWNER_ELEMENTS: usize = 9;

/// Elements under the hash of a challenge: the chain id, w_R, the owner, the message.
pub const CHALLENGE_ELEMENTS: usize = 14;

/// How many permutations the proof of an owner takes, once in a shard whatever they sign.
pub const OWNER_PERMUTATIONS: usize = blocks(OWNER_ELEMENTS);

/// How many permutations the proof of a signature takes beside its owner's: the challenge.
pub const SIGNATURE_PERMUTATIONS: usize = blocks(CHALLENGE_ELEMENTS);

/// A public key: any element of the group but the neutral one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub AffinePoint);

impl PublicKey {
    /// Returns the digest by which records on a chain name their owner: the hash of the key
    /// and of the base-chain address to which the owner can leave without the operator.
    pub fn owner(&self, chain_id: F, exit_address: &Address) -> Digest {
        hash(Domain::Owner, &self.owner_message(chain_id, exit_address))
    }

    /// Returns what is hashed to an owner.
    pub fn owner_message(&self, chain_id: F, exit_address: &Address) -> [F; OWNER_ELEMENTS] {
        under_owner(chain_id, &self.0.encode(), exit_address)
    }

    /// Returns whether a signature of a message is valid under this key with this exit address.
    /// Takes variable time.
    #[must_use]
    pub fn verify(
        &self,
        chain_id: F,
        exit_address: &Address,
        message: &Digest,
        signature: &Signature,
    ) -> bool {
        if !self.0.is_in_group() || !signature.r.is_in_group() {
            return false;
        }
        let owner = self.owner(chain_id, exit_address);
        let e = challenge_scalar(&challenge(chain_id, &signature.r, &owner, message));
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

/// Returns what is hashed to a challenge: the chain id, w_R, the owner digest of the key, the
/// message.
pub fn challenge_message(
    chain_id: F,
    r: &AffinePoint,
    owner: &Digest,
    message: &Digest,
) -> [F; CHALLENGE_ELEMENTS] {
    under_challenge(chain_id, &r.encode(), owner, message)
}

/// [`challenge_message`] of an encoding.
fn under_challenge(
    chain_id: F,
    w: &F5,
    owner: &Digest,
    message: &Digest,
) -> [F; CHALLENGE_ELEMENTS] {
    let mut out = [chain_id; CHALLENGE_ELEMENTS];
    out[1..6].copy_from_slice(&elements(w));
    out[6..10].copy_from_slice(owner);
    out[10..].copy_from_slice(message);
    out
}

/// [`PublicKey::owner_message`] of an encoding.
fn under_owner(chain_id: F, w: &F5, exit_address: &Address) -> [F; OWNER_ELEMENTS] {
    let mut out = [chain_id; OWNER_ELEMENTS];
    out[1..6].copy_from_slice(&elements(w));
    out[6..].copy_from_slice(&exit_address.elements());
    out
}

/// Returns the digest whose first two elements are the challenge.
pub fn challenge(chain_id: F, r: &AffinePoint, owner: &Digest, message: &Digest) -> Digest {
    hash(
        Domain::Challenge,
        &challenge_message(chain_id, r, owner, message),
    )
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
        Self {
            scalar,
            public_key: PublicKey(point),
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

    /// Signs a message as the owner that this key is with an exit address on a chain. The nonce
    /// depends on the key and on everything else under the challenge, so that signing twice
    /// gives the same signature, and no two challenges meet one nonce. Takes variable time.
    #[must_use]
    pub fn sign(&self, chain_id: F, exit_address: &Address, message: &Digest) -> Signature {
        let owner = self.public_key.owner(chain_id, exit_address);
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
        let signed = [&secret[..], &[chain_id], &owner, message].concat();
        let (k, r) = expand_to_pair(Domain::Nonce, &signed);
        let e = challenge_scalar(&challenge(chain_id, &r, &owner, message));
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
