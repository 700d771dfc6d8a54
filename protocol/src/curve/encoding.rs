//! What can be wrong with the bytes of a point or a scalar, and the helpers that read them.

use thiserror::Error;

use crate::field::{F, MODULUS, canonical};

use super::parameters::ORDER;

/// Why bytes stand for no point or scalar.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DecodeError {
    /// An integer that is no canonical field element.
    #[error("element {index} is {found:#018x}, expected an integer below {MODULUS:#018x}")]
    NonCanonicalElement {
        /// Which of the point's ten elements it is.
        index: usize,
        /// The integer found.
        found: u64,
    },
    /// A point whose x is zero or no square, so not in the group of order n.
    #[error("x is {found:?}, expected a nonzero square of GF(p^5)")]
    NotInGroup {
        /// The coefficients of x.
        found: [u64; 5],
    },
    /// A pair of x and w that is no point of the curve.
    #[error("w is {found:?}, expected a w with x^2 + (a - w^2) x + b = 0 for x = {x:?}")]
    NotOnCurve {
        /// The coefficients of x.
        x: [u64; 5],
        /// The coefficients of w.
        found: [u64; 5],
    },
    /// A scalar that is not below the order of the group.
    #[error("scalar is {found:?} (64-bit words, lowest first), expected below {ORDER:?}")]
    ScalarOutOfRange {
        /// The 64-bit words found, lowest first.
        found: [u64; 5],
    },
    /// Text that is not the hexadecimal form of the right number of bytes.
    #[error("found text that is no hexadecimal of {expected} bytes: {source}")]
    Hex {
        /// How many bytes were expected.
        expected: usize,
        /// What is wrong with the text.
        source: hex::FromHexError,
    },
}

/// Reads canonical field elements; `first` is the index of the first one in its point.
pub(super) fn canonical_elements(words: [u64; 5], first: usize) -> Result<[F; 5], DecodeError> {
    let mut out = [F::new(0); 5];
    for (i, (element, found)) in out.iter_mut().zip(words).enumerate() {
        let index = first + i;
        *element = canonical(found).ok_or(DecodeError::NonCanonicalElement { index, found })?;
    }
    Ok(out)
}

/// Little-endian 64-bit words out of hexadecimal text: exactly `N` of them.
pub(super) fn words_from_hex<const N: usize>(text: &str) -> Result<[u64; N], DecodeError> {
    let expected = 8 * N;
    let mut words = [[0; 8]; N];
    hex::decode_to_slice(text, words.as_flattened_mut())
        .map_err(|source| DecodeError::Hex { expected, source })?;
    Ok(words.map(u64::from_le_bytes))
}

/// Hexadecimal text of little-endian 64-bit words.
pub(super) fn words_to_hex<const N: usize>(words: &[u64; N]) -> String {
    hex::encode(words.map(u64::to_le_bytes).as_flattened())
}
