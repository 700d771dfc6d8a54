//! Keccak-256 as the hash of trees and transcript: of the one proof that an EVM chain verifies.
//!
//! The form of everything that is hashed: `docs/settlement-proof.md`.

use p3_field::PrimeCharacteristicRing as _;
use p3_keccak::{Keccak256Hash, KeccakF, VECTOR_LEN};
use p3_symmetric::{CryptographicHasher, Permutation as _, PseudoCompressionFunction};
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::types::PrimeField64 as _;
use plonky2::hash::hash_types::BytesHash;
use plonky2::hash::keccak::KeccakPermutation;
use plonky2::plonk::config::{GenericConfig, Hasher};

use super::sponge::{GrindingError, Search, check_response, find_nonce, leads_with_zeros};
use super::transcript::Sponge;
use super::{PlonkField, Poseidon2Hash};
use crate::config::F;
use crate::convert::to_plonk;

/// Bytes of a digest: 208 bits, 104 against collisions.
pub const DIGEST_BYTES: usize = 26;
/// A digest.
pub type KeccakDigest = BytesHash<DIGEST_BYTES>;
/// A digest in words of Keccak's state, the last one cut to its low two bytes.
pub type Words<T> = [T; 4];

/// Bytes that a block takes.
const RATE: usize = 136;
/// Words that a block takes.
const RATE_WORDS: usize = RATE / 8;
/// Padding after the last byte of a message.
const FIRST_MARK: u64 = 1;
/// Padding at the end of its last block.
const LAST_MARK: u64 = 0x80 << 56;
/// What is kept of a digest's last word.
const LAST_WORD: u64 = 0xffff;

/// One word of several messages that are hashed at once.
type Lanes = [u64; VECTOR_LEN];

/// Field, hashes and extension of the proof that an EVM chain verifies. Its public inputs are hashed
/// by Poseidon2, which its circuit has anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeccakConfig;

impl GenericConfig<2> for KeccakConfig {
    type F = PlonkField;
    type FE = QuadraticExtension<PlonkField>;
    type Hasher = KeccakTree;
    type InnerHasher = Poseidon2Hash;
}

/// Keccak-256 of big-endian elements and of digests side by side, cut to [`DIGEST_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeccakTree;

impl Hasher<PlonkField> for KeccakTree {
    const HASH_SIZE: usize = DIGEST_BYTES;
    type Hash = KeccakDigest;
    type Permutation = KeccakPermutation<PlonkField>;

    fn hash_no_pad(input: &[PlonkField]) -> KeccakDigest {
        let elements = input.iter();
        digest(
            &Keccak256Hash
                .hash_iter(elements.flat_map(|element| element.to_canonical_u64().to_be_bytes())),
        )
    }

    fn two_to_one(left: KeccakDigest, right: KeccakDigest) -> KeccakDigest {
        digest(&Keccak256Hash.hash_iter_slices([left.0.as_slice(), right.0.as_slice()]))
    }
}

/// Cuts a hash to a digest.
fn digest(hash: &[u8; 32]) -> KeccakDigest {
    let mut bytes = [0; DIGEST_BYTES];
    bytes
        .iter_mut()
        .zip(hash)
        .for_each(|(to, &from)| *to = from);
    BytesHash(bytes)
}

/// From words of the state to the digest's bytes.
pub fn digest_of_words(words: &Words<u64>) -> KeccakDigest {
    let mut bytes = [0; DIGEST_BYTES];
    let from = words.iter().flat_map(|word| word.to_le_bytes());
    bytes.iter_mut().zip(from).for_each(|(to, from)| *to = from);
    BytesHash(bytes)
}

/// From a digest to words of the state.
fn words_of_digest(digest: &KeccakDigest) -> Words<u64> {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(digest.0.chunks(8)) {
        *word = little_endian(bytes);
    }
    words
}

/// At most eight bytes as a word.
fn little_endian(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut()
        .zip(bytes)
        .for_each(|(to, &from)| *to = from);
    u64::from_le_bytes(word)
}

/// Keccak-256 of several messages of one length at once, word by word.
#[derive(Clone)]
struct Sponges {
    state: [Lanes; 25],
    /// Words of the block so far.
    position: usize,
}

impl Sponges {
    fn new() -> Self {
        Self {
            state: [[0; VECTOR_LEN]; 25],
            position: 0,
        }
    }

    fn absorb(&mut self, word: Lanes) {
        self.add(self.position, word);
        self.position = self.position.saturating_add(1);
        if self.position == RATE_WORDS {
            KeccakF.permute_mut(&mut self.state);
            self.position = 0;
        }
    }

    /// Ends messages whose next word is this, the first mark of the padding in it.
    fn finish(mut self, rest: Lanes) -> [Lanes; 25] {
        self.add(self.position, rest);
        self.add(RATE_WORDS - 1, [LAST_MARK; VECTOR_LEN]);
        KeccakF.permute_mut(&mut self.state);
        self.state
    }

    fn add(&mut self, position: usize, word: Lanes) {
        if let Some(place) = self.state.get_mut(position) {
            *place = combine(*place, word, |place, word| place ^ word);
        }
    }
}

/// Message by message.
fn combine(mut left: Lanes, right: Lanes, with: impl Fn(u64, u64) -> u64) -> Lanes {
    for (left, right) in left.iter_mut().zip(right) {
        *left = with(*left, right);
    }
    left
}

/// The first words of a state as a digest's.
fn cut(state: &[Lanes; 25]) -> Words<Lanes> {
    let [a, b, c, d, ..] = *state;
    [a, b, c, d.map(|word| word & LAST_WORD)]
}

/// The hash of a row, for Plonky3's Merkle trees.
#[derive(Clone, Copy, Debug)]
pub struct KeccakRows;

impl CryptographicHasher<F, Words<u64>> for KeccakRows {
    fn hash_iter<I: IntoIterator<Item = F>>(&self, input: I) -> Words<u64> {
        let elements: Vec<PlonkField> = input.into_iter().map(to_plonk).collect();
        words_of_digest(&KeccakTree::hash_no_pad(&elements))
    }
}

impl CryptographicHasher<[F; VECTOR_LEN], Words<Lanes>> for KeccakRows {
    fn hash_iter<I: IntoIterator<Item = [F; VECTOR_LEN]>>(&self, input: I) -> Words<Lanes> {
        let mut sponges = Sponges::new();
        for elements in input {
            sponges
                .absorb(elements.map(|element| to_plonk(element).to_canonical_u64().swap_bytes()));
        }
        cut(&sponges.finish([FIRST_MARK; VECTOR_LEN]))
    }
}

/// The hash of two digests, for Plonky3's Merkle trees.
#[derive(Clone, Copy, Debug)]
pub struct KeccakNodes;

impl PseudoCompressionFunction<Words<u64>, 2> for KeccakNodes {
    fn compress(&self, [left, right]: [Words<u64>; 2]) -> Words<u64> {
        let (left, right) = (digest_of_words(&left), digest_of_words(&right));
        words_of_digest(&KeccakTree::two_to_one(left, right))
    }
}

impl PseudoCompressionFunction<Words<Lanes>, 2> for KeccakNodes {
    fn compress(&self, [left, right]: [Words<Lanes>; 2]) -> Words<Lanes> {
        let [a, b, c, mut rest] = left;
        let [words @ .., end] = right;
        let mut sponges = Sponges::new();
        for word in [a, b, c] {
            sponges.absorb(word);
        }
        // Two bytes of the left digest are in its last word, so the right one stands 16 bits on.
        for word in words {
            sponges.absorb(combine(rest, word, |rest, word| rest | word << 16));
            rest = word.map(|word| word >> 48);
        }
        let mark = FIRST_MARK << 32;
        cut(&sponges.finish(combine(rest, end, |rest, end| rest | end << 16 | mark)))
    }
}

/// The transcript: a chain of hashes over what is observed.
#[derive(Clone, Debug, Default)]
pub struct KeccakSponge {
    state: [u8; 32],
    /// Observed since the last sample.
    pending: Vec<u8>,
}

impl Sponge for KeccakSponge {
    type Word = PlonkField;
    type Digest = KeccakDigest;
    type Error = GrindingError;

    fn observe_constant(&mut self, value: PlonkField) {
        self.observe(value);
    }

    fn observe(&mut self, word: PlonkField) {
        self.pending.extend(word.to_canonical_u64().to_be_bytes());
    }

    fn observe_digest(&mut self, digest: &KeccakDigest) {
        self.pending.extend(digest.0);
    }

    fn sample(&mut self) -> PlonkField {
        self.state = Keccak256Hash.hash_iter_slices([self.state.as_slice(), &self.pending]);
        self.pending.clear();
        let (limbs, _) = self.state.as_chunks();
        reduced(limbs.iter().map(|&limb| u64::from_be_bytes(limb)))
    }

    fn check(&mut self, bits: u32, response: PlonkField) -> Result<(), GrindingError> {
        check_response(bits, response)
    }
}

// The prover's own search: lanes and bits of a word are few.
#[allow(clippy::arithmetic_side_effects, clippy::as_conversions)]
impl Search for KeccakSponge {
    fn search(&self, bits: u32) -> PlonkField {
        let prefix = [self.state.as_slice(), &self.pending].concat();
        let (words, rest) = prefix.as_chunks();
        let mut sponges = Sponges::new();
        for &word in words {
            sponges.absorb([u64::from_le_bytes(word); VECTOR_LEN]);
        }
        // A nonce begins within a word where digests of 26 bytes do not fill whole words.
        let (shift, rest) = (8 * rest.len() as u32, [little_endian(rest); VECTOR_LEN]);
        find_nonce(VECTOR_LEN, |first| {
            let nonces: Lanes = core::array::from_fn(|lane| first.wrapping_add(lane as u64));
            let bytes = nonces.map(u64::swap_bytes);
            let mut sponges = sponges.clone();
            sponges.absorb(combine(rest, bytes, |rest, nonce| rest | nonce << shift));
            let end = bytes.map(|nonce| nonce.checked_shr(64 - shift).unwrap_or(0));
            let [a, b, c, d, ..] = sponges.finish(end.map(|end| end | FIRST_MARK << shift));
            let mut lanes = a.iter().zip(&b).zip(c.iter().zip(&d)).zip(nonces);
            lanes.find_map(|(((a, b), (c, d)), nonce)| {
                let response = reduced([a, b, c, d].into_iter().map(|word| word.swap_bytes()));
                leads_with_zeros(response, bits).then_some(nonce)
            })
        })
    }
}

/// An integer of these limbs of 64 bits, the highest first, modulo p.
// Arithmetic in a field has no overflow.
#[allow(clippy::arithmetic_side_effects)]
fn reduced(limbs: impl Iterator<Item = u64>) -> PlonkField {
    // 2^64 modulo p.
    let base = F::from_u64(u64::from(u32::MAX));
    to_plonk(limbs.fold(F::ZERO, |sum, limb| sum * base + F::from_u64(limb)))
}
