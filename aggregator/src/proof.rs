//! The validity proof as bytes.

use crate::wire::encode_proof;
use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind};
use shardfold_recursion::plonk::PlonkProof;

/// How the file is marked.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::Proof,
    version: 3,
    max_bytes: ValidityProof::MAX_BYTES,
};

/// A validity proof, not yet verified: what it states is what [`crate::verify`] returns, and
/// no statement stands beside the proof.
///
/// It is kept in plonky2's plain form with the nonces after it, whose length the verification key
/// fixes. plonky2's
/// compressed form is about a sixth smaller, but its decoder follows query indices that the
/// proof itself supplies and panics where they do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidityProof {
    proof: Vec<u8>,
}

/// Why bytes are no validity proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a validity proof: {0}")]
pub struct ProofError(#[from] pub EnvelopeError);

impl ValidityProof {
    /// The most bytes that a file may have: no profile's proofs come near this.
    pub const MAX_BYTES: u64 = 16 << 20;

    /// The root of a proof tree.
    pub(crate) fn new(root: &PlonkProof) -> Self {
        Self {
            proof: encode_proof(root),
        }
    }

    /// Returns the root proof in plonky2's plain form and its nonces, after the header of all files.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        ENVELOPE.seal(&self.proof)
    }

    /// Inverts [`to_bytes`](Self::to_bytes). What follows the header is looked at by
    /// [`crate::verify`] only, since its shape depends on the key.
    ///
    /// # Errors
    /// If the bytes are not one whole file that is marked as a validity proof of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let proof = ENVELOPE.open(bytes)?.to_vec();
        Ok(Self { proof })
    }

    /// The root proof, encoded.
    pub(crate) fn proof(&self) -> &[u8] {
        &self.proof
    }
}
