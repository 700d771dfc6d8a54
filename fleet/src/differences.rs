//! The differences of a batch as an object: elements of 8 little-endian bytes, whole blocks of four.

use p3_field::PrimeField64 as _;
use shardfold_protocol::data::MOST_BLOCKS;
use shardfold_protocol::field::{F, MODULUS, canonical};

/// Bytes of an element.
const ELEMENT_BYTES: usize = 8;
/// Bytes of a block of four elements.
const BLOCK_BYTES: usize = 4 * ELEMENT_BYTES;
/// The most bytes that the differences of a batch may have.
pub const MAX_DIFFERENCES_BYTES: u64 = (MOST_BLOCKS * BLOCK_BYTES) as u64;

/// Why bytes are no differences of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferencesError {
    /// Not whole blocks, or more of them than one settlement publishes.
    #[error(
        "found {found} bytes of differences, expected whole blocks of {BLOCK_BYTES}, at most \
         {MOST_BLOCKS} of them"
    )]
    Length {
        /// How many bytes there are.
        found: usize,
    },
    /// An integer that is no field element.
    #[error("element {position} of the differences is {found}, expected one below {MODULUS}")]
    Element {
        /// Which one, from 0.
        position: usize,
        /// What is there.
        found: u64,
    },
}

/// Returns the bytes of differences, which are whole blocks.
#[must_use]
pub fn to_bytes(differences: &[F]) -> Vec<u8> {
    let elements = differences.iter();
    elements
        .flat_map(|element| element.as_canonical_u64().to_le_bytes())
        .collect()
}

/// Inverts [`to_bytes`].
///
/// # Errors
/// Bytes that are not whole blocks, more than one settlement publishes, or an integer that is no
/// element.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<F>, DifferencesError> {
    let found = bytes.len();
    if !found.is_multiple_of(BLOCK_BYTES) || found as u64 > MAX_DIFFERENCES_BYTES {
        return Err(DifferencesError::Length { found });
    }
    let (elements, _) = bytes.as_chunks::<ELEMENT_BYTES>();
    let elements = elements.iter().enumerate();
    elements
        .map(|(position, bytes)| {
            let found = u64::from_le_bytes(*bytes);
            canonical(found).ok_or(DifferencesError::Element { position, found })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing as _;

    use super::*;

    #[test]
    fn differences_are_read_back_from_their_bytes() {
        for blocks in [0, 1, 3, MOST_BLOCKS] {
            let differences: Vec<F> = (0..4 * blocks as u64).map(|i| -F::from_u64(i)).collect();
            assert_eq!(from_bytes(&to_bytes(&differences)), Ok(differences));
        }
    }

    #[test]
    fn bytes_that_are_no_differences_are_refused() {
        for found in [1, 31, 33, MAX_DIFFERENCES_BYTES as usize + BLOCK_BYTES] {
            let refused = from_bytes(&vec![0; found]);
            assert_eq!(refused, Err(DifferencesError::Length { found }));
        }
        let mut bytes = to_bytes(&[F::ZERO; 4]);
        bytes[8..16].copy_from_slice(&MODULUS.to_le_bytes());
        let refused = DifferencesError::Element {
            position: 1,
            found: MODULUS,
        };
        assert_eq!(from_bytes(&bytes), Err(refused));
    }
}
