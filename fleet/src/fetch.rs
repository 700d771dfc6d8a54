//! The validity proof of a proven batch, verified before it is returned.

use shardfold_aggregator::{ProofError, ValidityProof, VerificationKey, VerifyError, verify};
use shardfold_protocol::head::Statement;

use crate::objects::{Folder, MAX_PROOF_BYTES, NameError, Objects, ObjectsError};
use crate::queue::{Queue, QueueError};
use crate::submit::{self, SubmitError};

/// Why no proof is available.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The queue refuses, or is unavailable.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The manifest is not available.
    #[error("the batch's manifest: {0}")]
    Manifest(#[from] SubmitError),
    /// The store is unavailable.
    #[error(transparent)]
    Objects(ObjectsError),
    /// The batch is not proven yet.
    #[error("the batch is not proven yet")]
    NotProven,
    /// The batch was submitted for other circuits than those of the key.
    #[error("the batch was proven for the circuits {found}, the verification key is {expected}")]
    Circuits {
        /// The verification key of the batch's circuits.
        found: Box<str>,
        /// The id of the verification key.
        expected: Box<str>,
    },
    /// The proof that is stored cannot be used; the job that makes it is open again.
    #[error("the stored proof is not used, and made again from its parts: {0}")]
    Invalidated(#[from] Unusable),
}

/// Why a stored proof cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Its name in the database is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is missing or altered.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// It is no proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// It is false.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It is a proof of something else.
    #[error("it proves another statement than that of the batch")]
    Statement,
}

impl FetchError {
    /// Returns whether the same may work in a while.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Queue(error) => error.is_transient(),
            Self::Manifest(error) => error.is_transient(),
            Self::Objects(error) => error.is_transient(),
            Self::NotProven | Self::Invalidated(_) => true,
            Self::Circuits { .. } => false,
        }
    }
}

/// Returns the validity proof of a batch, which verifies under the key and states what the batch's
/// manifest says. A stored proof that does not is invalidated: its job is open again, and if it is
/// false its signer has a strike.
///
/// # Errors
/// If there is no such proof yet.
pub async fn fetch(
    queue: &Queue,
    objects: &Objects,
    key: &VerificationKey,
    batch: &str,
) -> Result<ValidityProof, FetchError> {
    let (proof, _) = fetch_verified(queue, objects, key, batch).await?;
    Ok(proof)
}

/// Returns the same, with what the proof was found to state.
///
/// # Errors
/// Those of [`fetch`].
pub async fn fetch_verified(
    queue: &Queue,
    objects: &Objects,
    key: &VerificationKey,
    batch: &str,
) -> Result<(ValidityProof, Statement), FetchError> {
    let manifest = submit::manifest(objects, batch).await?;
    let expected = hex::encode(key.id());
    if manifest.circuits() != expected {
        return Err(FetchError::Circuits {
            found: manifest.circuits().into(),
            expected: expected.into(),
        });
    }
    let finish = queue.finish_of(batch).await?;
    let Some(result) = &finish.result else {
        return Err(FetchError::NotProven);
    };
    let unusable = match read(objects, result).await {
        Ok(proof) => match verify(key, &proof) {
            Ok(statement) if Some(statement) == manifest.whole() => return Ok((proof, statement)),
            Ok(_) => Unusable::Statement,
            Err(error) => error.into(),
        },
        Err(Unusable::Objects(error)) if error.is_transient() => {
            return Err(FetchError::Objects(error));
        }
        Err(unusable) => unusable,
    };
    // Who has spoilt the store is not known; who has signed a false proof is.
    let is_there = !matches!(unusable, Unusable::Objects(_) | Unusable::Name(_));
    let is_false = is_there && queue.is_signed(batch, &finish).await?;
    queue
        .invalidate_proof(batch, &finish, is_false, &unusable.to_string())
        .await?;
    // It may be another batch's, who has it in its own place.
    if is_there
        && !queue.is_proof(result).await?
        && let Ok(name) = result.parse()
        && let Err(error) = objects.remove(Folder::Proof, name).await
    {
        tracing::warn!(
            error = error.to_string(),
            "a false proof stays in the store"
        );
    }
    Err(unusable.into())
}

async fn read(objects: &Objects, result: &str) -> Result<ValidityProof, Unusable> {
    let bytes = objects
        .get(Folder::Proof, result.parse()?, MAX_PROOF_BYTES)
        .await?;
    Ok(ValidityProof::from_bytes(&bytes)?)
}
