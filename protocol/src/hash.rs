//! Poseidon2 of width 8: every hash that a chip proves.
//!
//! The compression is `trunc4(P(x) + x)`: the permutation with its input fed forward, cut to
//! four elements (Poseidon2, ePrint 2023/323, section 3.1). Without the feed-forward the cut
//! permutation could be run backwards, and anyone could find a record for a given digest.

use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::{Poseidon2Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;
use std::sync::LazyLock;

use crate::field::F;

/// Four field elements: 256 bits, 128 bits of collision resistance.
pub type Digest = [F; 4];

/// The digest of nothing: where hash chains start.
pub const ZERO_DIGEST: Digest = [F::ZERO; 4];

/// The Poseidon2 permutation of width 8 with Plonky3's published Goldilocks constants.
pub type Permutation8 = Poseidon2Goldilocks<8>;

static PERMUTATION: LazyLock<Permutation8> = LazyLock::new(default_goldilocks_poseidon2_8);

/// The permutation itself, shared by everyone who hashes.
#[must_use]
pub fn permutation() -> &'static Permutation8 {
    &PERMUTATION
}

/// `trunc4(P(x) + x)`.
#[must_use]
pub fn compress_block(input: &[F; 8]) -> Digest {
    let output = permutation().permute(*input);
    core::array::from_fn(|i| output[i] + input[i])
}

/// The parent of two digests.
#[must_use]
pub fn compress(left: &Digest, right: &Digest) -> Digest {
    compress_block(&concat(left, right))
}

/// Two digests side by side, as the input of one compression.
#[must_use]
pub fn concat(left: &Digest, right: &Digest) -> [F; 8] {
    core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] })
}

/// What a hash is for. The first element of each hash is a tag made of its domain and its
/// length, so messages of different kinds or lengths never share a first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Domain {
    /// A public key to its owner digest.
    Owner = 1,
    /// The challenge of a signature.
    Challenge = 2,
    /// A transfer.
    Transfer = 3,
    /// A deposit, placed in the state.
    Deposit = 4,
    /// A deposit as the base chain's queue states it.
    DepositPayload = 5,
    /// A withdrawal.
    Withdraw = 6,
    /// A withdrawal as the base chain owes it.
    WithdrawPayload = 7,
    /// The deterministic nonce of a signature (never proven).
    Nonce = 8,
    /// A secret key from a seed (never proven).
    SecretKey = 9,
    /// A curve point with no known discrete logarithm (hash to curve).
    CurvePoint = 10,
}

/// The tag of a hash over `length` elements in `domain`: `domain * 2^32 + length`.
#[must_use]
pub fn tag(domain: Domain, length: usize) -> F {
    F::from_u64(((domain as u64) << 32) | length as u64)
}

/// Hashes a message: the first block is the tag and seven elements, each later block is the
/// digest so far and four elements; the last block is filled with zeros.
#[must_use]
pub fn hash(domain: Domain, message: &[F]) -> Digest {
    hash_with(domain, message, compress_block)
}

/// [`hash`], with the compression given by the caller: a trace generator passes one that
/// also notes each block for the `poseidon2` chip.
pub fn hash_with(
    domain: Domain,
    message: &[F],
    mut compress_block: impl FnMut(&[F; 8]) -> Digest,
) -> Digest {
    let (head, tail) = message.split_at(message.len().min(7));
    let mut block = [F::ZERO; 8];
    block[0] = tag(domain, message.len());
    block[1..=head.len()].copy_from_slice(head);
    let mut digest = compress_block(&block);
    for chunk in tail.chunks(4) {
        block = [F::ZERO; 8];
        block[..4].copy_from_slice(&digest);
        block[4..4 + chunk.len()].copy_from_slice(chunk);
        digest = compress_block(&block);
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_domain_separate() {
        let zero = [F::ZERO; 3];
        assert_ne!(hash(Domain::Owner, &zero), hash(Domain::Owner, &zero[..2]));
        assert_ne!(hash(Domain::Owner, &zero), hash(Domain::Challenge, &zero));
    }

    #[test]
    fn a_long_message_is_a_chain_of_compressions() {
        let message: [F; 13] = core::array::from_fn(F::from_usize);
        let mut first = [F::ZERO; 8];
        first[0] = tag(Domain::Transfer, 13);
        first[1..].copy_from_slice(&message[..7]);
        let one = compress_block(&first);
        let two = compress(&one, message[7..11].try_into().unwrap());
        let three = compress(&two, &[message[11], message[12], F::ZERO, F::ZERO]);
        assert_eq!(hash(Domain::Transfer, &message), three);
    }

    #[test]
    fn the_compression_cannot_be_run_backwards_through_the_permutation() {
        let input: [F; 8] = core::array::from_fn(F::from_usize);
        let output = permutation().permute(input);
        assert_ne!(compress_block(&input), output[..4]);
    }
}
