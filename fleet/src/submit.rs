//! From a batch's shards to jobs in the queue, and their removal.

use shardfold_protocol::field::F;
use shardfold_protocol::files::{self, FileError};
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;

use crate::differences;
use crate::manifest::{Manifest, ManifestError, Published};
use crate::objects::{Folder, MAX_WITNESS_BYTES, NameError, ObjectName, Objects, ObjectsError};
use crate::queue::{Queue, QueueError, Submission, Submitted};

/// Why a batch could not be submitted or removed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The queue refuses, or is unavailable.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store refuses, or is unavailable.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// The shards make no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A witness that has no file form, or bytes that are no witness.
    #[error("shard {shard}: {source}")]
    Witness {
        /// Position of the shard in the batch, from 0.
        shard: usize,
        /// Why the witness cannot be encoded or decoded.
        source: FileError,
    },
    /// A batch's id that is no object.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl SubmitError {
    /// Returns whether the database or the store is unavailable, so that the same may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Queue(error) => error.is_transient(),
            Self::Objects(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// How many attempts of one job may fail or be lost before it is dead-lettered, unless said otherwise.
pub const MAX_FAILURES: u32 = 5;

/// A batch that was executed and cut.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// The security profile to prove it for.
    pub profile: Profile,
    /// The id of the verification key of its circuits.
    pub circuits: [u8; 32],
    /// The digest of the batch file's content, 64 hexadecimal digits.
    pub source: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// Its shards in order.
    pub shards: &'a [ShardWitness],
    /// What is published of it, if a settlement proof is asked for.
    pub data: Option<Data<'a>>,
    /// How many attempts of one job may fail or be lost before it is dead-lettered.
    pub max_failures: u32,
}

/// What is published of a batch on the chain where it is settled.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// The differences of its shards, one after the other: whole blocks.
    pub differences: &'a [F],
    /// The point that what is published gives: two words below 2^63.
    pub point: [u64; 2],
}

/// Stores a batch's witnesses, its differences if they are published, and its manifest, then puts its jobs into the queue. On return
/// all of it outlasts a crash. The same again changes nothing.
///
/// # Errors
/// Those of store and queue.
pub async fn submit(
    queue: &Queue,
    objects: &Objects,
    batch: &Executed<'_>,
) -> Result<(ObjectName, Submitted), SubmitError> {
    let mut shards = Vec::with_capacity(batch.shards.len());
    for (shard, witness) in batch.shards.iter().enumerate() {
        let failed = |source| SubmitError::Witness { shard, source };
        let bytes = files::to_binary(witness).map_err(failed)?;
        shards.push((objects.put(Folder::Witness, bytes).await?, witness));
    }
    let mut manifest = Manifest::new(batch.profile, batch.circuits, &shards)?;
    if let Some(data) = batch.data {
        manifest = with_data(objects, manifest, data).await?;
    }
    let label = (batch.source, batch.label);
    enqueue(queue, objects, &manifest, label, batch.max_failures).await
}

/// Stores what is published of a batch; returns its manifest with a settlement proof of that.
async fn with_data(
    objects: &Objects,
    manifest: Manifest,
    data: Data<'_>,
) -> Result<Manifest, SubmitError> {
    let bytes = differences::to_bytes(data.differences);
    let differences = objects.put(Folder::Witness, bytes).await?;
    Ok(manifest.with_settlement(Published::new(differences, data.point))?)
}

/// Stores a manifest and puts its jobs into the queue; the label is the batch file's digest and
/// what people call it.
async fn enqueue(
    queue: &Queue,
    objects: &Objects,
    manifest: &Manifest,
    (source, label): (&str, &str),
    max_failures: u32,
) -> Result<(ObjectName, Submitted), SubmitError> {
    let id = objects.put(Folder::Manifest, manifest.to_bytes()?).await?;
    let submission = Submission {
        id,
        manifest,
        source,
        label,
        max_failures,
    };
    Ok((id, queue.submit(&submission).await?))
}

/// Returns the shards of a batch that was submitted before, from the manifest and the witnesses that
/// the store has of it.
///
/// # Errors
/// Those of the store, among them that it has lost something of the batch.
pub async fn shards(objects: &Objects, batch: &str) -> Result<Vec<ShardWitness>, SubmitError> {
    let manifest = manifest(objects, batch).await?;
    let mut shards = Vec::with_capacity(manifest.shards().len());
    for (shard, stored) in manifest.shards().iter().enumerate() {
        let bytes = objects
            .get(Folder::Witness, stored.witness, MAX_WITNESS_BYTES)
            .await?;
        let failed = |source| SubmitError::Witness { shard, source };
        shards.push(files::from_bytes(&bytes).map_err(failed)?);
    }
    Ok(shards)
}

/// Returns the shards of the batch between two heads, if the store has them all.
///
/// # Errors
/// If the store cannot be read.
pub async fn stored_shards(
    objects: &Objects,
    before: &Head,
    after: &Head,
) -> Result<Option<Vec<ShardWitness>>, SubmitError> {
    for (name, _) in manifests_between(objects, before, after).await? {
        if let Ok(shards) = shards(objects, &name).await {
            return Ok(Some(shards));
        }
    }
    Ok(None)
}

/// The manifests of the batches between two heads, with their names; those that cannot be read are none.
async fn manifests_between(
    objects: &Objects,
    before: &Head,
    after: &Head,
) -> Result<Vec<(String, Manifest)>, SubmitError> {
    let mut found = vec![];
    for name in objects.list(Folder::Manifest).await? {
        let name = name.to_string();
        let Ok(manifest) = manifest(objects, &name).await else {
            continue;
        };
        let is_it = |whole: Statement| whole.before == *before && whole.after == *after;
        if manifest.whole().is_some_and(is_it) {
            found.push((name, manifest));
        }
    }
    Ok(found)
}

/// Returns the manifest of a batch.
///
/// # Errors
/// If the store does not have it, or has another.
pub async fn manifest(objects: &Objects, batch: &str) -> Result<Manifest, SubmitError> {
    let name: ObjectName = batch.parse()?;
    let bytes = objects
        .get(Folder::Manifest, name, Manifest::MAX_BYTES)
        .await?;
    Ok(Manifest::from_bytes(&bytes)?)
}

/// A batch that was executed before, of which the store has the witnesses.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// The security profile to prove it for.
    pub profile: Profile,
    /// The id of the verification key of its circuits.
    pub circuits: [u8; 32],
    /// The digest of the batch file's content, 64 hexadecimal digits.
    pub source: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// The ledger before it.
    pub before: &'a Head,
    /// The ledger after it.
    pub after: &'a Head,
    /// What is published of it, if a settlement proof is made.
    pub data: Option<Data<'a>>,
}

/// Submits a batch from a manifest that the store has of it, be it one for other circuits, or with or
/// without a settlement proof; its id, or `None` if there is no such manifest.
///
/// # Errors
/// Those of store and queue.
pub async fn submit_stored(
    queue: &Queue,
    objects: &Objects,
    batch: &Stored<'_>,
) -> Result<Option<String>, SubmitError> {
    for (_, manifest) in manifests_between(objects, batch.before, batch.after).await? {
        if manifest.profile() != batch.profile.name() {
            continue;
        }
        let mut manifest = manifest.with_circuits(batch.circuits).without_settlement();
        if let Some(data) = batch.data {
            manifest = with_data(objects, manifest, data).await?;
        }
        let label = (batch.source, batch.label);
        let (id, _) = enqueue(queue, objects, &manifest, label, MAX_FAILURES).await?;
        return Ok(Some(id.to_string()));
    }
    Ok(None)
}

/// Removes a proven or cancelled batch from store and queue; what other batches use as well
/// stays.
///
/// # Errors
/// If the batch is open.
pub async fn delete(queue: &Queue, objects: &Objects, batch: &str) -> Result<(), SubmitError> {
    queue.check_closed(batch).await?;
    match manifest(objects, batch).await {
        Ok(manifest) => remove_inputs(queue, objects, batch, &manifest).await?,
        // An earlier run came so far.
        Err(SubmitError::Objects(ObjectsError::Missing { .. })) => {}
        Err(error) => return Err(error),
    }
    let proof = queue.proof_of(batch).await?;
    // The manifest goes last: who is killed before finds the batch by it.
    queue.delete(batch).await?;
    if let Some(proof) = proof {
        objects.remove(Folder::Proof, proof.parse()?).await?;
    }
    Ok(objects.remove(Folder::Manifest, batch.parse()?).await?)
}

async fn remove_inputs(
    queue: &Queue,
    objects: &Objects,
    batch: &str,
    manifest: &Manifest,
) -> Result<(), SubmitError> {
    for job in manifest.jobs(manifest.arity()) {
        let id = hex::encode(job.id);
        if !queue.is_shared(batch, &id).await? {
            objects.remove_all(Folder::Part { job: &id }).await?;
        }
        if let Some(witness) = job.input
            && !queue.is_shared(batch, &witness.to_string()).await?
        {
            objects.remove(Folder::Witness, witness).await?;
        }
    }
    Ok(())
}
