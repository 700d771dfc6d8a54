//! Why a job is not done; work that may panic, on a thread of its own.

use std::any::Any;

use shardfold_protocol::files;

use crate::differences::DifferencesError;
use crate::engine::EngineError;
use crate::manifest::ManifestError;
use crate::objects::{NameError, ObjectsError};
use crate::queue::QueueError;

/// Why a job is not done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the batch's id is no object: {0}")]
    Name(#[from] NameError),
    #[error("the batch's manifest: {0}")]
    Manifest(#[from] ManifestError),
    #[error("the job is not of its batch's manifest, or not as the manifest says")]
    NotOfManifest,
    #[error("the shard's witness: {0}")]
    Witness(#[from] files::FileError),
    #[error("the witness is of another shard than the manifest says")]
    OtherShard,
    #[error(transparent)]
    Differences(#[from] DifferencesError),
    #[error("the differences lead to another commitment than the manifest says")]
    OtherDifferences,
    #[error("proving panicked: {0}")]
    Panicked(Box<str>),
    #[error("{} finished results are missing", .0)]
    Missing(usize),
    /// A result that this job was to use is invalidated, and the job given back.
    #[error("{0}")]
    Invalidated(Box<str>),
    /// Another worker holds the job, or has done it.
    #[error("somebody else has the job now")]
    Lost,
    /// Its batch was deleted.
    #[error("the batch is there no more")]
    Gone,
}

/// Runs what takes long on a thread where it keeps no task waiting.
pub async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JobError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let message = error.try_into_panic().map_or_else(
            |error| error.to_string(),
            |panic| message(panic.as_ref()).to_owned(),
        );
        JobError::Panicked(message.into())
    })
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message")
}
