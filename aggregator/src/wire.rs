//! A proof as bytes, decoded so that nothing in them can surprise plonky2.
//!
//! All proofs of one tree have one shape, hence one length: the common data say where every
//! element, path length and count stands. [`decode_proof`] checks each of them before plonky2
//! reads the bytes, so plonky2 allocates only what a valid proof needs, its own checks of
//! shape cannot fail, and two different byte strings never decode to one proof.
//!
//! plonky2's plain form comes first, then the nonces that plonky2 does not have, eight bytes
//! each: before the out-of-domain point, before what batches the openings, before each fold.

use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::plonk::proof::ProofWithPublicInputs;
use shardfold_protocol::field::MODULUS;

use shardfold_recursion::plonk::{CommonData, D, Nonces, PlonkField, PlonkProof, oracle_sizes};

/// Why bytes are no proof of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A proof of this tree has another length.
    #[error("a proof of this tree has {expected} bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes of every proof of the tree.
        expected: usize,
    },
    /// An integer that is no canonical field element.
    #[error("the integer {value} at byte {offset} is not below the field's modulus")]
    NotCanonical {
        /// The byte at which the integer starts.
        offset: usize,
        /// The integer found, not below the field's modulus.
        value: u64,
    },
    /// A path length or a count that the shape does not allow.
    #[error("the length {found} at byte {offset} should be {expected}")]
    Shape {
        /// The byte at which the length starts.
        offset: usize,
        /// The length found.
        found: u64,
        /// The length that the shape has there.
        expected: u64,
    },
    /// plonky2 refused bytes of the right shape.
    #[error("plonky2 cannot decode the proof")]
    Decode,
}

/// A stretch of an encoded proof.
#[derive(Clone, Copy)]
enum Piece {
    /// So many field elements, eight bytes each.
    Elements(usize),
    /// One byte, the number of digests in the Merkle path that follows.
    PathLength(u8),
    /// Eight bytes, the number of elements that follow.
    Count(u64),
}

impl Piece {
    fn bytes(self) -> usize {
        match self {
            Self::Elements(count) => count.saturating_mul(8),
            Self::PathLength(_) => 1,
            Self::Count(_) => 8,
        }
    }
}

/// Returns how many bytes every proof over these common data has.
#[must_use]
pub fn proof_bytes(common: &CommonData) -> usize {
    layout(common).into_iter().map(Piece::bytes).sum()
}

/// Returns plonky2's uncompressed form of the proof, then the nonces.
#[must_use]
pub fn encode_proof(proof: &PlonkProof) -> Vec<u8> {
    let mut bytes = proof.plonky2.to_bytes();
    for nonce in proof.nonces.all() {
        bytes.extend(nonce.to_canonical_u64().to_le_bytes());
    }
    bytes
}

/// Returns the proof that these bytes encode, of exactly the shape that `common` gives.
///
/// # Errors
/// If the length, any element or any inner length is not as it must be.
pub fn decode_proof(bytes: &[u8], common: &CommonData) -> Result<PlonkProof, WireError> {
    let expected = proof_bytes(common);
    if bytes.len() != expected {
        return Err(WireError::Length {
            found: bytes.len(),
            expected,
        });
    }
    let mut rest = bytes;
    for piece in layout(common) {
        let offset = bytes.len().saturating_sub(rest.len());
        // The lengths add up to that of the bytes, so the split cannot fail.
        let (head, tail) = rest
            .split_at_checked(piece.bytes())
            .ok_or(WireError::Decode)?;
        check(piece, head, offset)?;
        rest = tail;
    }
    let nonces = nonces(common).saturating_mul(8);
    let (plonky2, nonces) = bytes
        .split_at_checked(bytes.len().saturating_sub(nonces))
        .ok_or(WireError::Decode)?;
    let plonky2 = ProofWithPublicInputs::from_bytes(plonky2.to_vec(), common);
    Ok(PlonkProof {
        plonky2: plonky2.map_err(|_| WireError::Decode)?,
        nonces: decode_nonces(nonces).ok_or(WireError::Decode)?,
    })
}

/// Returns the nonces of these words, each checked to be canonical.
fn decode_nonces(bytes: &[u8]) -> Option<Nonces<PlonkField>> {
    let (words, _) = bytes.as_chunks::<8>();
    let mut nonces = words
        .iter()
        .map(|word| PlonkField::from_canonical_u64(u64::from_le_bytes(*word)));
    Some(Nonces {
        point: nonces.next()?,
        batch: nonces.next()?,
        folds: nonces.collect(),
    })
}

/// Checks one stretch that starts at byte `offset`.
fn check(piece: Piece, bytes: &[u8], offset: usize) -> Result<(), WireError> {
    let same = |found: u64, expected: u64| match found == expected {
        true => Ok(()),
        false => Err(WireError::Shape {
            offset,
            found,
            expected,
        }),
    };
    let (words, _) = bytes.as_chunks::<8>();
    match piece {
        Piece::PathLength(expected) => same(
            bytes.first().copied().unwrap_or_default().into(),
            expected.into(),
        ),
        Piece::Count(expected) => same(
            words.first().map_or(0, |word| u64::from_le_bytes(*word)),
            expected,
        ),
        Piece::Elements(_) => words.iter().enumerate().try_for_each(|(i, word)| {
            let value = u64::from_le_bytes(*word);
            let offset = offset.saturating_add(i.saturating_mul(8));
            match value < MODULUS {
                true => Ok(()),
                false => Err(WireError::NotCanonical { offset, value }),
            }
        }),
    }
}

/// How many nonces follow plonky2's form.
fn nonces(common: &CommonData) -> usize {
    common
        .fri_params
        .reduction_arity_bits
        .len()
        .saturating_add(2)
}

/// Where everything stands in plonky2's encoding (`util::serialization`, `write_proof`), and the
/// nonces after it.
fn layout(common: &CommonData) -> Vec<Piece> {
    let config = &common.config;
    let fri = &common.fri_params;
    let challenges = config.num_challenges;
    let cap = HASH << config.fri_config.cap_height;
    let oracles = oracle_sizes(common);
    // At the next row, the products of the copy constraints are opened once more.
    let openings = sum(oracles).saturating_add(challenges);
    // The caps of wires, copy-constraint products and quotients, and of the folded codewords.
    let caps = fri.reduction_arity_bits.len().saturating_add(3);

    let mut pieces = vec![Piece::Elements(sum([
        caps.saturating_mul(cap),
        openings.saturating_mul(D),
    ]))];
    for _ in 0..config.fri_config.num_query_rounds {
        let mut height = fri.lde_bits();
        for leaf in oracles {
            path(&mut pieces, leaf, height, config.fri_config.cap_height);
        }
        for &arity_bits in &fri.reduction_arity_bits {
            height = height.saturating_sub(arity_bits);
            let leaf = D << arity_bits;
            path(&mut pieces, leaf, height, config.fri_config.cap_height);
        }
    }
    // The final polynomial and the nonce before the queries.
    pieces.push(Piece::Elements(sum([
        fri.final_poly_len().saturating_mul(D),
        1,
    ])));
    let public_inputs = common.num_public_inputs;
    pieces.push(Piece::Count(
        u64::try_from(public_inputs).unwrap_or(u64::MAX),
    ));
    pieces.push(Piece::Elements(public_inputs));
    pieces.push(Piece::Elements(nonces(common)));
    pieces
}

/// Elements of a hash.
const HASH: usize = 4;

/// The sum of counts; a proof that long has never been made.
pub fn sum<const N: usize>(counts: [usize; N]) -> usize {
    counts.into_iter().fold(0, usize::saturating_add)
}

/// A leaf of so many elements and its path in a tree of this height, up to the cap.
fn path(pieces: &mut Vec<Piece>, leaf: usize, height: usize, cap_height: usize) {
    let siblings = height.saturating_sub(cap_height);
    pieces.push(Piece::Elements(leaf));
    // Trees have fewer than 2^64 leaves.
    pieces.push(Piece::PathLength(u8::try_from(siblings).unwrap_or(u8::MAX)));
    pieces.push(Piece::Elements(siblings.saturating_mul(HASH)));
}
