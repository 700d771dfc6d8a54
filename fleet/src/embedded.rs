//! The fleet in one process and one folder: SQLite, objects beside it, and a worker, for as
//! long as a batch takes. What a killed run has proven, the next one finds there.

mod folder;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardfold_aggregator::{SettlementProof, ValidityProof};
use shardfold_protocol::head::Head;
use shardfold_protocol::witness::ShardWitness;
use tokio::sync::watch;
use url::Url;

use self::folder::WorkFolder;
use crate::engine::{Engine, EngineError};
use crate::fetch::{FetchError, fetch, fetch_settlement};
use crate::keys::{KeyError, WorkerKey};
use crate::objects::{Folder, Objects, ObjectsError};
use crate::queue::model::{BatchState, JobState, JobView, Kind, TreeView};
use crate::queue::{Queue, QueueError, Submitted};
use crate::submit::{self, Executed, Stored, SubmitError};
use crate::worker::{Event, Observer, Options, Worker, WorkerError};

/// No other process can hold a job here, so a lease only has to outlast a pause of the machine.
const LEASE: Duration = Duration::from_secs(600);
/// How soon a slot looks for work that another one has freed.
const POLL: Duration = Duration::from_millis(50);
/// A local file that cannot be used for so long is not only busy.
const RETRY_TIME: Duration = Duration::from_secs(5);

/// Why a batch cannot be proven in a folder.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or a file in it.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Something that this program did not make, where the work folder has its own.
    #[error(
        "{} is there already, and is not of a work folder of shardfold: move it, or name another \
         folder with --work-dir",
        found.display()
    )]
    Foreign {
        /// What is in the way.
        found: PathBuf,
    },
    /// A folder in which SQLite's file has no name that can be given to it.
    #[error("{} is not UTF-8: name another folder with --work-dir", folder.display())]
    NotUtf8 {
        /// The folder whose path is not UTF-8.
        folder: PathBuf,
    },
    /// The queue refuses.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The objects cannot be used.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// The batch could not be submitted.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The worker gave up.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A job could not be done.
    #[error("{what}: {reason}")]
    Job {
        /// The job: what it does, and over which shards.
        what: Box<str>,
        /// Why it could not be done.
        reason: Box<str>,
    },
    /// The batch is not proven, and no job says why.
    #[error("the batch is {} after all jobs that could be done", found.name())]
    Unfinished {
        /// The state of the batch.
        found: BatchState,
    },
    /// There is no randomness for a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The circuits of settlement proofs are not available.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A finished proof is not available.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// What is worth telling when a folder is opened.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// Another process proves in the folder, and this one waits.
    Busy,
    /// The queue cannot be read, for this reason, and is made anew.
    Queue(&'a QueueError),
}

/// How to prove.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs at the same time.
    pub jobs: usize,
    /// The memory that they may take together beside the circuits, in bytes.
    pub memory: u64,
}

/// The proofs of a batch, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// The validity proof.
    pub validity: ValidityProof,
    /// The settlement proof, if it was asked for.
    pub settlement: Option<SettlementProof>,
}

/// A fleet in a folder that this process alone uses.
pub struct Embedded {
    folder: WorkFolder,
    queue: Queue,
    objects: Objects,
}

impl Embedded {
    /// Returns the fleet in a folder, made if it is not there. If another process or thread proves
    /// in it, this waits until it has ended. A queue that cannot be read is made anew: finished
    /// parts are found in the store all the same.
    ///
    /// # Errors
    /// If the folder cannot be used, or has something in it that this program did not make, where
    /// its own would be.
    pub async fn open(folder: &Path, notice: impl Fn(Notice<'_>)) -> Result<Self, EmbeddedError> {
        let folder = WorkFolder::hold(folder, &notice)?;
        let queue = match connect(&folder).await {
            Err(EmbeddedError::Queue(error)) if error.is_damage() => {
                notice(Notice::Queue(&error));
                folder.remove_database()?;
                connect(&folder).await?
            }
            queue => queue?,
        };
        let objects = Objects::create_in(&folder.objects()).await?;
        Ok(Self {
            folder,
            queue,
            objects,
        })
    }

    /// Whether [`open`](Self::open) would find something in the way. Changes nothing.
    ///
    /// # Errors
    /// [`EmbeddedError::Foreign`], or [`EmbeddedError::Io`].
    pub fn check(folder: &Path) -> Result<(), EmbeddedError> {
        folder::check(folder)
    }

    /// Returns the files that a work folder has.
    pub fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
        folder::files(folder)
    }

    /// Returns whether a fleet is or was at work in a folder.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder::is_in(folder)
    }

    /// Stores a batch and its jobs; its id. On return it outlasts a crash.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub async fn submit(&self, batch: &Executed<'_>) -> Result<String, EmbeddedError> {
        let (id, submitted) = submit::submit(&self.queue, &self.objects, batch).await?;
        if submitted == Submitted::New {
            tracing::debug!(%id, "submitted");
        }
        Ok(id.to_string())
    }

    /// Returns the id of a batch whose witnesses an earlier run has left here, in the queue from
    /// now on if it was not.
    ///
    /// # Errors
    /// If queue or store cannot be read.
    pub async fn stored(&self, batch: &Stored<'_>) -> Result<Option<String>, EmbeddedError> {
        Ok(submit::submit_stored(&self.queue, &self.objects, batch).await?)
    }

    /// Returns the shards of the batch between two heads whose witnesses an earlier run has left here.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn shards(
        &self,
        before: &Head,
        after: &Head,
    ) -> Result<Option<Vec<ShardWitness>>, EmbeddedError> {
        Ok(submit::stored_shards(&self.objects, before, after).await?)
    }

    /// Returns a batch with its jobs, those that earlier runs have done among them.
    ///
    /// # Errors
    /// If there is no such batch.
    pub async fn tree(&self, batch: &str) -> Result<TreeView, EmbeddedError> {
        let tree = self.queue.tree_view(batch).await?;
        Ok(tree.ok_or_else(|| QueueError::Unknown {
            what: "batch",
            prefix: batch.into(),
        })?)
    }

    /// Proves a submitted batch: its proofs, verified. A job that fails ends the work.
    ///
    /// # Errors
    /// If a witness does not prove its statement, or the folder cannot be written.
    pub async fn prove(
        &self,
        batch: &str,
        engine: Arc<Engine>,
        limits: Limits,
        observer: Box<Observer>,
    ) -> Result<Proofs, EmbeddedError> {
        self.queue.take_all_back().await?;
        self.queue.retry(batch, None).await?;
        // Proofs that an earlier run has left are used, or invalidated.
        if let Ok(proofs) = self.fetch(batch, &engine).await {
            return Ok(proofs);
        }
        let last = match self.queue.wrap_of(batch).await? {
            Some(_) => Kind::Wrap,
            None => Kind::Finish,
        };
        let failure = Arc::new(Mutex::new(None));
        let (stop, stopped) = watch::channel(false);
        let (heard, held) = (failure.clone(), engine.clone());
        let observe = move |event: &Event| {
            observer(event);
            match event {
                Event::Done { work, .. } if work.kind == last => {
                    stop.send_replace(true);
                }
                // Room for the circuits of the settlement proof.
                Event::Done { work, .. } if work.kind == Kind::Finish => held.circuits().release(),
                Event::Failed { work, reason } => {
                    let error = EmbeddedError::Job {
                        what: name(work.kind, work.first, work.end).into(),
                        reason: reason.as_str().into(),
                    };
                    let mut heard = heard.lock().unwrap_or_else(|error| error.into_inner());
                    heard.get_or_insert(error);
                    stop.send_replace(true);
                }
                _ => {}
            }
        };
        let worker = self
            .worker(batch, engine.clone(), limits, Box::new(observe))
            .await?;
        worker.run(stopped).await?;
        let failure = failure
            .lock()
            .unwrap_or_else(|error| error.into_inner())
            .take();
        match failure {
            Some(error) => Err(error),
            None => match self.fetch(batch, &engine).await {
                Err(EmbeddedError::Fetch(FetchError::NotProven)) => {
                    Err(self.unfinished(batch).await?)
                }
                fetched => fetched,
            },
        }
    }

    async fn worker(
        &self,
        batch: &str,
        engine: Arc<Engine>,
        limits: Limits,
        observer: Box<Observer>,
    ) -> Result<Worker, EmbeddedError> {
        let key = WorkerKey::generate()?;
        let instance = key.public().to_string();
        self.queue.register(&instance, &key.public()).await?;
        let options = Options {
            kinds: Kind::ALL.to_vec(),
            // What other runs have left here is theirs to prove.
            batch: Some(batch.to_owned()),
            jobs: limits.jobs.max(1),
            memory: limits.memory,
            lease: LEASE,
            poll: POLL,
            // A caller that waits for this process wants the error now.
            drain: Duration::ZERO,
            store_retry: Duration::ZERO,
            database_retry: Some(RETRY_TIME),
            until_idle: true,
        };
        let (queue, objects) = (self.queue.clone(), self.objects.clone());
        Ok(Worker::new(
            queue, objects, engine, key, instance, options, observer,
        ))
    }

    async fn fetch(&self, batch: &str, engine: &Arc<Engine>) -> Result<Proofs, EmbeddedError> {
        let (queue, objects, key) = (&self.queue, &self.objects, engine.key());
        let mut proofs = Proofs {
            validity: fetch(queue, objects, key, batch).await?,
            settlement: None,
        };
        let Some(wrap) = queue.wrap_of(batch).await? else {
            return Ok(proofs);
        };
        if wrap.result.is_none() {
            return Err(FetchError::NotProven.into());
        }
        let settlement_key = engine.settlement_key()?;
        let keys = (key, &settlement_key);
        let (settlement, _) = fetch_settlement(queue, objects, keys, batch).await?;
        proofs.settlement = Some(settlement);
        Ok(proofs)
    }

    /// Why a batch is not proven although nothing is left to do.
    async fn unfinished(&self, batch: &str) -> Result<EmbeddedError, EmbeddedError> {
        let TreeView { batch, jobs, .. } = self.tree(batch).await?;
        let is_dead_lettered = |job: &&JobView| job.state == JobState::DeadLettered;
        let Some(dead_lettered) = jobs.iter().find(is_dead_lettered) else {
            return Ok(EmbeddedError::Unfinished { found: batch.state });
        };
        let attempts = self
            .queue
            .attempts(&dead_lettered.batch, &dead_lettered.id)
            .await?;
        let reason = attempts
            .into_iter()
            .rev()
            .find_map(|attempt| attempt.reason);
        let (first, end) = (dead_lettered.first as usize, dead_lettered.end as usize);
        Ok(EmbeddedError::Job {
            what: name(dead_lettered.kind, first, end).into(),
            reason: reason.unwrap_or_default().into(),
        })
    }

    /// Removes a batch whose proof is kept elsewhere, and then the fleet and the folder, if
    /// nothing else is in them.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub async fn delete(self, batch: &str) -> Result<(), EmbeddedError> {
        self.remove(batch).await?;
        self.close().await
    }

    async fn remove(&self, batch: &str) -> Result<(), EmbeddedError> {
        self.queue.take_all_back().await?;
        match self.queue.cancel(batch).await {
            Ok(()) | Err(QueueError::BatchState { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(submit::delete(&self.queue, &self.objects, batch).await?)
    }

    /// Ends the work in the folder; removes it if no batch is left in it, nor a manifest, whose
    /// witnesses could not be made again.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub async fn close(self) -> Result<(), EmbeddedError> {
        let is_empty = self.queue.fleet_view(1).await?.batches.is_empty()
            && self.objects.list(Folder::Manifest).await?.is_empty();
        self.queue.close().await;
        if !is_empty {
            return Ok(());
        }
        self.folder.remove(&self.objects)
    }
}

/// Returns the name of a job as people know it: shards count from 1.
#[must_use]
pub fn name(kind: Kind, first: usize, end: usize) -> String {
    match kind {
        Kind::Shard => format!("shard {}", first + 1),
        Kind::Aggregate => format!("aggregation of shards {} to {end}", first + 1),
        Kind::Finish => "finish".to_owned(),
        Kind::Wrap => "settlement proof".to_owned(),
    }
}

async fn connect(folder: &WorkFolder) -> Result<Queue, EmbeddedError> {
    let path = folder.database()?;
    let url = Url::from_file_path(&path).map_err(|()| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "not an absolute path");
        folder::io_error(&path, source)
    })?;
    let url = url.as_str().replacen("file:", "sqlite:", 1);
    Ok(Queue::connect(&url).await?)
}
