//! The validity proof as bytes.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use crate::wire::encode_proof;
use shardfold_recursion::plonk::PlonkProof;

const MAGIC: [u8; 8] = *b"SFVALID\n";
const VERSION: u32 = 1;

/// A validity proof, not yet verified: what it states is what [`crate::verify`] returns, and
/// no statement stands beside the proof.
///
/// It is kept in plonky2's plain form, whose length the verification key fixes. plonky2's
/// compressed form is about a sixth smaller, but its decoder follows query indices that the
/// proof itself supplies and panics where they do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidityProof {
    proof: Vec<u8>,
}

/// Why bytes are no validity proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes do not start as a validity proof.
    #[error("not a validity proof")]
    Magic,
    /// Written in another format.
    #[error("validity proof of format {found}, this build reads {VERSION}")]
    Version {
        /// The format found.
        found: u32,
    },
    /// Longer than any validity proof.
    #[error("{found} bytes are more than any validity proof has")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
}

impl ValidityProof {
    /// The most bytes that a file may have: no profile's proofs come near this.
    pub const MAX_BYTES: u64 = 16 << 20;

    /// The root of a proof tree.
    pub(crate) fn new(root: &PlonkProof) -> Self {
        Self {
            proof: encode_proof(root),
        }
    }

    /// Magic, format version, and the root proof in plonky2's plain form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &VERSION.to_le_bytes(), &self.proof].concat()
    }

    /// The inverse of [`to_bytes`](Self::to_bytes). What follows the header is looked at by
    /// [`crate::verify`] only, since its shape depends on the key.
    ///
    /// # Errors
    /// If the header is not that of a validity proof of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() as u64 > Self::MAX_BYTES {
            return Err(ProofError::TooLong { found: bytes.len() });
        }
        let (magic, rest) = bytes.split_first_chunk().ok_or(ProofError::Magic)?;
        let (version, proof) = rest.split_first_chunk().ok_or(ProofError::Magic)?;
        if *magic != MAGIC {
            return Err(ProofError::Magic);
        }
        match u32::from_le_bytes(*version) {
            VERSION => Ok(Self {
                proof: proof.to_vec(),
            }),
            found => Err(ProofError::Version { found }),
        }
    }

    /// The root proof, encoded.
    pub(crate) fn proof(&self) -> &[u8] {
        &self.proof
    }
}
