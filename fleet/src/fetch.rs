//! The proofs of a proven batch, verified before they are returned.

use shardfold_aggregator::{
    ProofError, SettlementKey, SettlementProof, SettlementProofError, SettlementVerifyError,
    ValidityProof, VerificationKey, VerifyError, verify, verify_settlement,
};
use shardfold_protocol::data::Settlement;
use shardfold_protocol::head::Statement;

use crate::manifest::Manifest;
use crate::objects::{Folder, MAX_PART_BYTES, MAX_PROOF_BYTES, NameError, Objects, ObjectsError};
use crate::queue::{Child, Queue, QueueError};
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
    /// The batch has no settlement proof.
    #[error("the batch was submitted without --settlement: it has no settlement proof")]
    NotAsked,
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
    /// It is no settlement proof.
    #[error(transparent)]
    SettlementProof(#[from] SettlementProofError),
    /// It is false.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It is a false settlement proof.
    #[error(transparent)]
    VerifySettlement(#[from] SettlementVerifyError),
    /// It is a settlement proof of data that are published in another way.
    #[error("it is of the point {found:?}, expected {expected:?}")]
    Point {
        /// The point of the proof.
        found: [u64; 2],
        /// The point of what is published of the batch.
        expected: [u64; 2],
    },
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
            Self::NotAsked | Self::Circuits { .. } => false,
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
    let manifest = manifest_for(objects, key, batch).await?;
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
        Err(unusable) => unusable,
    };
    let is_there = unusable.is_there();
    let error = invalidate(queue, batch, &finish, unusable).await?;
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
    Err(error)
}

/// Returns the settlement proof of a batch, with what it states: it verifies under the settlement
/// key, which stands upon the verification key, and states what the batch's manifest says. One that
/// does not is invalidated, as by [`fetch`].
///
/// # Errors
/// If there is no such proof yet, or none was asked for.
pub async fn fetch_settlement(
    queue: &Queue,
    objects: &Objects,
    (key, settlement_key): (&VerificationKey, &SettlementKey),
    batch: &str,
) -> Result<(SettlementProof, Settlement), FetchError> {
    let manifest = manifest_for(objects, key, batch).await?;
    let wrap = queue.wrap_of(batch).await?;
    let (Some(published), Some(wrap)) = (manifest.published(), wrap) else {
        return Err(FetchError::NotAsked);
    };
    let Some(result) = &wrap.result else {
        return Err(FetchError::NotProven);
    };
    let expected = published.point();
    let unusable = match read_settlement(objects, &wrap.job, result).await {
        Ok(proof) => match verify_settlement(settlement_key, &proof) {
            Ok(stated) if Some(stated.statement) != manifest.whole() => Unusable::Statement,
            Ok(stated) if stated.evaluation.point != expected => {
                let found = stated.evaluation.point;
                Unusable::Point { found, expected }
            }
            Ok(stated) => return Ok((proof, stated)),
            Err(error) => error.into(),
        },
        Err(unusable) => unusable,
    };
    Err(invalidate(queue, batch, &wrap, unusable).await?)
}

/// The manifest of a batch that was submitted for the circuits of this key.
async fn manifest_for(
    objects: &Objects,
    key: &VerificationKey,
    batch: &str,
) -> Result<Manifest, FetchError> {
    let manifest = submit::manifest(objects, batch).await?;
    let expected = hex::encode(key.id());
    if manifest.circuits() != expected {
        return Err(FetchError::Circuits {
            found: manifest.circuits().into(),
            expected: expected.into(),
        });
    }
    Ok(manifest)
}

impl Unusable {
    /// Whether the store has the proof as it was handed in: then who has signed it is to blame.
    const fn is_there(&self) -> bool {
        !matches!(self, Self::Objects(_) | Self::Name(_))
    }
}

/// Opens the job of a proof that cannot be used again, unless the store is only unavailable; what
/// there is to say of it.
async fn invalidate(
    queue: &Queue,
    batch: &str,
    job: &Child,
    unusable: Unusable,
) -> Result<FetchError, FetchError> {
    let unusable = match unusable {
        Unusable::Objects(error) if error.is_transient() => return Ok(FetchError::Objects(error)),
        unusable => unusable,
    };
    // Who has spoilt the store is not known; who has signed a false proof is.
    let is_false = unusable.is_there() && queue.is_signed(batch, job).await?;
    queue
        .invalidate_proof(batch, job, is_false, &unusable.to_string())
        .await?;
    Ok(unusable.into())
}

async fn read(objects: &Objects, result: &str) -> Result<ValidityProof, Unusable> {
    let bytes = objects
        .get(Folder::Proof, result.parse()?, MAX_PROOF_BYTES)
        .await?;
    Ok(ValidityProof::from_bytes(&bytes)?)
}

async fn read_settlement(
    objects: &Objects,
    job: &str,
    result: &str,
) -> Result<SettlementProof, Unusable> {
    let bytes = objects
        .get(Folder::Part { job }, result.parse()?, MAX_PART_BYTES)
        .await?;
    Ok(SettlementProof::from_bytes(&bytes)?)
}
