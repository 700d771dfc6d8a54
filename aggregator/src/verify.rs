//! The verifier.

use crate::circuit::states_key;
use crate::wire::{WireError, decode_proof};
use shardfold_protocol::head::Statement;
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::{self, PlonkVerifyError};

use crate::{ValidityProof, VerificationKey};

/// Why a validity proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are no proof of the key's shape.
    #[error("malformed proof: {0}")]
    Malformed(#[from] WireError),
    /// The proof's key slot does not hold the verification key, digest and cap, so the
    /// children of the root were checked against another key: a shard proof, or a forgery.
    #[error("the proof was not aggregated under this verification key")]
    KeySlot,
    /// The proof is false.
    #[error("the proof does not verify: {0}")]
    Invalid(#[source] PlonkVerifyError),
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
    let root = decode_proof(proof.proof(), &key.data.common)?;
    if !states_key(&root, &key.data.verifier_only) {
        return Err(VerifyError::KeySlot);
    }
    let statement = statement_from_plonk(root.public_inputs()).ok_or(VerifyError::KeySlot)?;
    let data = &key.data;
    plonk::verify(&data.verifier_only, &data.common, key.grinding, &root)
        .map_err(VerifyError::Invalid)?;
    Ok(statement)
}
