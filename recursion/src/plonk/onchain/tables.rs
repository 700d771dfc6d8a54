//! The tables of a verifier's data, and where they stand in the contract's memory.

use core::convert::Infallible;

use p3_field::PrimeField64 as _;
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL as FINAL_CONSTANTS,
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL as INITIAL_CONSTANTS,
    GOLDILOCKS_POSEIDON2_RC_12_INTERNAL as PARTIAL_CONSTANTS,
    MATRIX_DIAG_12_GOLDILOCKS as DIAGONAL,
};
use p3_util::reverse_bits_len;
use plonky2::field::types::{Field as _, PrimeField64 as _};

use super::sizes::Sizes;
use super::{OnChainError, PARAMETERS};
use crate::plonk::program::Program;
use crate::plonk::transcript::{Sponge, Transcript};
use crate::plonk::{CommonData, Grinding, KeccakConfig, KeccakDigest, PlonkField, VerifierKey};

/// Where the data begin in the memory: after what Solidity and the hash of the statement use.
pub(super) const DATA: usize = 0x380;
/// Bytes of a word of memory.
pub(super) const WORD: usize = 32;

/// Addresses in the contract's memory, and lengths in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub prefix: usize,
    pub prefix_length: usize,
    pub cap: usize,
    pub roots: usize,
    pub positions: usize,
    pub twiddles: usize,
    pub poseidon: usize,
    pub constants: usize,
    pub program: usize,
    pub program_length: usize,
    pub slots: usize,
    pub free: usize,
}

/// All tables, one after another.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub bytes: Vec<u8>,
    pub places: Places,
}

impl Tables {
    pub fn new(
        common: &CommonData,
        grinding: Grinding,
        key: &VerifierKey<KeccakConfig>,
        sizes: &Sizes,
        program: &Program,
    ) -> Result<Self, OnChainError> {
        let mut tables = Self::default();
        let prefix = prefix(common, grinding, key);
        let mut places = Places {
            prefix: tables.push(&prefix),
            prefix_length: prefix.len(),
            cap: tables.push(&cap(key)),
            roots: tables.push_elements(roots(sizes.log_size)),
            positions: tables.push_elements(positions(sizes.log_arity)),
            twiddles: tables.push_elements(twiddles(sizes.log_arity)),
            poseidon: tables.push_elements(poseidon2_constants()),
            constants: tables.push_elements(program.constants().iter().copied()),
            ..Places::default()
        };
        // A program names words of memory; its length does not depend on which.
        places.program_length = program.encode(0)?.len();
        let slots = (tables.end() + places.program_length).div_ceil(WORD);
        places.program = tables.push(&program.encode(slots)?);
        places.slots = slots * WORD;
        places.free = (slots + program.slots()) * WORD;
        tables.places = places;
        Ok(tables)
    }

    /// The address after the last byte.
    fn end(&self) -> usize {
        DATA + PARAMETERS * WORD + self.bytes.len()
    }

    /// Adds bytes and returns their address.
    fn push(&mut self, bytes: &[u8]) -> usize {
        let place = self.end();
        self.bytes.extend(bytes);
        place
    }

    fn push_elements(&mut self, elements: impl IntoIterator<Item = u64>) -> usize {
        let bytes = elements.into_iter().flat_map(u64::to_be_bytes);
        self.push(&bytes.collect::<Vec<_>>())
    }
}

/// The roots of the preprocessed polynomials' tree.
fn cap(key: &VerifierKey<KeccakConfig>) -> Vec<u8> {
    let roots = key.constants_sigmas_cap.0.iter();
    roots.flat_map(|root| root.0).collect()
}

/// What the transcript observes before anything of a proof.
fn prefix(common: &CommonData, grinding: Grinding, key: &VerifierKey<KeccakConfig>) -> Vec<u8> {
    let sponge = Prefix(Vec::new());
    let nothing = [PlonkField::ZERO; 4];
    Transcript::new(sponge, common, grinding, &key.circuit_digest, nothing)
        .sponge
        .0
}

/// A sponge that keeps what the circuit fixes, and nothing of an instance.
struct Prefix(Vec<u8>);

impl Sponge for Prefix {
    type Word = PlonkField;
    type Digest = KeccakDigest;
    type Error = Infallible;

    fn observe_constant(&mut self, value: PlonkField) {
        self.0.extend(value.to_canonical_u64().to_be_bytes());
    }

    fn observe(&mut self, _word: PlonkField) {}

    fn observe_digest(&mut self, digest: &KeccakDigest) {
        self.0.extend(digest.0);
    }

    fn sample(&mut self) -> PlonkField {
        PlonkField::ZERO
    }

    fn check(&mut self, _bits: u32, _response: PlonkField) -> Result<(), Infallible> {
        Ok(())
    }
}

/// plonky2's root of order `2^log_order`.
fn root(log_order: usize) -> PlonkField {
    PlonkField::primitive_root_of_unity(log_order)
}

/// For each k from 1 to the domain's: the root of order 2^k, and its inverse.
fn roots(log_size: usize) -> impl Iterator<Item = u64> {
    let roots = (1..=log_size).flat_map(|k| [root(k), root(k).inverse()]);
    roots.map(|root| root.to_canonical_u64())
}

/// For each position in a group, its point over the first one's.
fn positions(log_arity: usize) -> impl Iterator<Item = u64> {
    (0..1 << log_arity).map(move |position| power(root(log_arity), position, log_arity))
}

/// For each pair of a group, the first point over the pair's first one.
fn twiddles(log_arity: usize) -> impl Iterator<Item = u64> {
    let pairs = log_arity.saturating_sub(1);
    (0..1 << pairs).map(move |pair| power(root(log_arity).inverse(), pair, pairs))
}

/// The power by the reversed index.
fn power(base: PlonkField, index: usize, bits: usize) -> u64 {
    let exponent = u64::try_from(reverse_bits_len(index, bits)).unwrap_or_default();
    base.exp_u64(exponent).to_canonical_u64()
}

/// The constants of the first rounds, of the inner rounds and of the last rounds; the diagonal.
fn poseidon2_constants() -> impl Iterator<Item = u64> {
    let first = INITIAL_CONSTANTS.as_flattened().iter();
    let all = first
        .chain(&PARTIAL_CONSTANTS)
        .chain(FINAL_CONSTANTS.as_flattened())
        .chain(&DIAGONAL);
    all.map(|constant| constant.as_canonical_u64())
}
