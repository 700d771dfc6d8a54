//! The verifier.

use crate::wire::{WireError, decode_proof};
use shardfold_protocol::head::Statement;
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::{PlonkVerifyError, verify as verify_plonk};

use crate::{ValidityProof, VerificationKey};

/// Why a validity proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are no proof of the key's shape.
    #[error("malformed proof: {0}")]
    Malformed(#[from] WireError),
    /// The proof is false.
    #[error("the proof does not verify: {0}")]
    Invalid(#[from] PlonkVerifyError),
    /// The public inputs are no statement. No proof of the key's shape is known to do this.
    #[error("the proof's public inputs are no statement")]
    Statement,
}

/// Verifies a validity proof and returns what it states: valid, signed transactions of the
/// chain lead from the one head to the other. The caller compares chain id and heads with
/// those that it expects.
///
/// # Errors
/// If the proof is malformed, false, or of another key. Does not panic, whatever the bytes:
/// no input is known that would, and a panic of plonky2 would be caught (unless the program is
/// built with `panic = "abort"`).
pub fn verify(key: &VerificationKey, proof: &ValidityProof) -> Result<Statement, VerifyError> {
    let last = decode_proof(proof.proof(), &key.common)?;
    verify_plonk(&key.key, &key.common, key.grinding(), &last)?;
    statement_from_plonk(last.public_inputs()).ok_or(VerifyError::Statement)
}
