//! The fleet in one process and one folder: SQLite, objects beside it, and a worker, for as
//! long as a batch takes. What a killed run has proven, the next one finds there.

#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardfold_aggregator::{ProofError, ValidityProof};
use shardfold_circuits::profile::Profile;
use shardfold_protocol::folder;
use tokio::sync::watch;
use url::Url;

use crate::engine::{Engine, EngineError};
use crate::keys::{KeyError, WorkerKey};
use crate::objects::{Folder, MAX_PROOF_BYTES, NameError, Objects, ObjectsError};
use crate::queue::view::{BatchState, JobState, JobView, Kind, TreeView};
use crate::queue::{Queue, QueueError, Submitted};
use crate::submit::{self, Executed, SubmitError};
use crate::worker::{Event, Observer, Options, Worker, WorkerError};

/// What is in the folder. SQLite adds names to that of its file.
const DATABASE: &str = "fleet.db";
const OBJECTS: &str = "objects";
const LOCK: &str = "fleet.lock";

/// Nobody else can hold a job here, so a lease only has to outlast a pause of the machine.
const LEASE: Duration = Duration::from_secs(600);
/// How soon a slot looks for work that another one has freed.
const POLL: Duration = Duration::from_millis(50);
/// A local file that cannot be used for so long is not only busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a batch cannot be proven in a folder.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or a file in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
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
        /// Which.
        what: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// The batch is not proven, and no job says why.
    #[error("the batch is {} after all jobs that could be done", found.name())]
    Unfinished {
        /// Its state.
        found: BatchState,
    },
    /// There is no randomness for a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The finished proof's object has no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The finished proof's object is no proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The finished proof is false, or of another batch.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is worth telling when a folder is opened.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// Somebody else proves in the folder, and this process waits.
    Busy,
    /// The queue cannot be read, for this reason, and is made anew.
    Queue(&'a QueueError),
}

/// How to prove.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs at the same time.
    pub jobs: usize,
    /// The memory that they may take together, in bytes.
    pub memory: u64,
}

/// A fleet in a folder that this process alone uses.
pub struct Embedded {
    folder: PathBuf,
    queue: Queue,
    objects: Objects,
    /// Held as long as the file is open.
    _lock: File,
}

impl Embedded {
    /// The fleet in a folder, made if it is not there. If another process or thread proves in
    /// it, this waits until it has ended. A queue that cannot be read is made anew: finished
    /// parts are found in the store all the same.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub async fn open(folder: &Path, notice: impl Fn(Notice<'_>)) -> Result<Self, EmbeddedError> {
        let lock = lock(folder, &notice)?;
        let folder = fs::canonicalize(folder).map_err(|source| io_error(folder, source))?;
        let queue = match connect(&folder).await {
            Err(EmbeddedError::Queue(error)) if !error.is_transient() => {
                notice(Notice::Queue(&error));
                remove_database(&folder)?;
                connect(&folder).await?
            }
            queue => queue?,
        };
        let objects = Objects::open(&folder.join(OBJECTS).to_string_lossy()).await?;
        Ok(Self {
            folder,
            queue,
            objects,
            _lock: lock,
        })
    }

    /// Whether a fleet is or was at work in a folder.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(DATABASE).exists()
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

    /// The id of a batch that was submitted from this file before, for this profile. If it was
    /// for circuits that are no more, it is submitted again for those that there are.
    ///
    /// # Errors
    /// If the queue or a manifest cannot be read.
    pub async fn known(
        &self,
        source: &str,
        profile: Profile,
        circuits: [u8; 32],
    ) -> Result<Option<String>, EmbeddedError> {
        let batches = self.queue.batches_of(source, profile.name()).await?;
        let Some((id, _)) = batches.into_iter().next() else {
            return Ok(None);
        };
        match submit::renew(&self.queue, &self.objects, &id, circuits).await {
            Ok(renewed) => Ok(Some(renewed.unwrap_or(id))),
            // A run was killed while it removed the batch.
            Err(SubmitError::Objects(ObjectsError::Missing { .. })) => {
                self.remove(&id).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A batch with its jobs, those that earlier runs have done among them.
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

    /// Proves a submitted batch: its validity proof, verified. A job that fails ends the work.
    ///
    /// # Errors
    /// If a witness does not prove its statement, or the folder cannot be written.
    pub async fn prove(
        &self,
        batch: &str,
        engine: Arc<Engine>,
        limits: Limits,
        observer: Box<Observer>,
    ) -> Result<ValidityProof, EmbeddedError> {
        self.queue.take_all_back().await?;
        self.queue.retry(batch, None).await?;
        if self.proof(batch, &engine).await.is_err() {
            self.queue.reopen_proof(batch).await?;
        }
        let failure = Arc::new(Mutex::new(None));
        let (stop, stopped) = watch::channel(false);
        let heard = failure.clone();
        let own = batch.to_owned();
        let observe = move |event: &Event| {
            observer(event);
            match event {
                Event::Done { work, .. } if work.kind == Kind::Finish && work.batch == own => {
                    stop.send_replace(true);
                }
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
            .worker(engine.clone(), limits, Box::new(observe))
            .await?;
        worker.run(stopped).await?;
        let failure = failure
            .lock()
            .unwrap_or_else(|error| error.into_inner())
            .take();
        match failure {
            Some(error) => Err(error),
            None => self.proof(batch, &engine).await,
        }
    }

    async fn worker(
        &self,
        engine: Arc<Engine>,
        limits: Limits,
        observer: Box<Observer>,
    ) -> Result<Worker, EmbeddedError> {
        let key = WorkerKey::generate()?;
        let instance = key.public().to_string();
        self.queue.enrol(&instance, &key.public()).await?;
        let options = Options {
            kinds: Kind::ALL.to_vec(),
            jobs: limits.jobs.max(1),
            memory: limits.memory,
            lease: LEASE,
            poll: POLL,
            // Whoever waits for this process wants the error now.
            drain: Duration::ZERO,
            store_patience: Duration::ZERO,
            database_patience: Some(PATIENCE),
            until_idle: true,
        };
        let (queue, objects) = (self.queue.clone(), self.objects.clone());
        Ok(Worker::new(
            queue, objects, engine, key, instance, options, observer,
        ))
    }

    async fn proof(&self, batch: &str, engine: &Engine) -> Result<ValidityProof, EmbeddedError> {
        let tree = self.tree(batch).await?;
        let Some(proof) = &tree.batch.proof else {
            return Err(self.unfinished(tree.batch.state, &tree.jobs).await?);
        };
        let get = self
            .objects
            .get(Folder::Proof, proof.parse()?, MAX_PROOF_BYTES);
        let proof = ValidityProof::from_bytes(&get.await?)?;
        let manifest = submit::manifest(&self.objects, batch).await?;
        let unfinished = EmbeddedError::Unfinished {
            found: tree.batch.state,
        };
        let statement = manifest.whole().ok_or(unfinished)?;
        engine.check_finished(&proof, &statement)?;
        Ok(proof)
    }

    /// Why a batch is not proven although nothing is left to do.
    async fn unfinished(
        &self,
        found: BatchState,
        jobs: &[JobView],
    ) -> Result<EmbeddedError, EmbeddedError> {
        let Some(parked) = jobs.iter().find(|job| job.state == JobState::Parked) else {
            return Ok(EmbeddedError::Unfinished { found });
        };
        let attempts = self.queue.attempts(&parked.batch, &parked.id).await?;
        let reason = attempts
            .into_iter()
            .rev()
            .find_map(|attempt| attempt.reason);
        let (first, end) = (parked.first as usize, parked.end as usize);
        Ok(EmbeddedError::Job {
            what: name(parked.kind, first, end).into(),
            reason: reason.unwrap_or_default().into(),
        })
    }

    /// Removes a batch whose proof is kept elsewhere, and then the fleet and the folder, if
    /// nothing else is in them.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub async fn forget(self, batch: &str) -> Result<(), EmbeddedError> {
        self.remove(batch).await?;
        self.close().await
    }

    async fn remove(&self, batch: &str) -> Result<(), EmbeddedError> {
        self.queue.take_all_back().await?;
        match self.queue.cancel(batch).await {
            Ok(()) | Err(QueueError::BatchState { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(submit::forget(&self.queue, &self.objects, batch).await?)
    }

    /// Ends the work in the folder; removes it if no batch is left in it.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub async fn close(self) -> Result<(), EmbeddedError> {
        let is_empty = self.queue.fleet_view(1).await?.batches.is_empty();
        self.queue.close().await;
        if !is_empty {
            return Ok(());
        }
        remove_database(&self.folder)?;
        for gone in [
            fs::remove_dir_all(self.folder.join(OBJECTS)),
            fs::remove_file(self.folder.join(LOCK)),
        ] {
            ignore_absent(gone).map_err(|source| io_error(&self.folder, source))?;
        }
        // What others put there stays.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// A job as people know it: shards count from 1.
#[must_use]
pub fn name(kind: Kind, first: usize, end: usize) -> String {
    match kind {
        Kind::Shard => format!("shard {}", first + 1),
        Kind::Fold => format!("fold of shards {} to {end}", first + 1),
        Kind::Finish => "finish".to_owned(),
    }
}

async fn connect(folder: &Path) -> Result<Queue, EmbeddedError> {
    let path = folder.join(DATABASE);
    let url = Url::from_file_path(&path).map_err(|()| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "not an absolute path");
        io_error(&path, source)
    })?;
    let url = url.as_str().replacen("file:", "sqlite:", 1);
    Ok(Queue::connect(&url).await?)
}

/// Waits until nobody else is in the folder.
fn lock(folder: &Path, notice: &impl Fn(Notice<'_>)) -> Result<File, EmbeddedError> {
    let path = folder.join(LOCK);
    let failed = |source| io_error(&path, source);
    loop {
        folder::create(folder).map_err(|source| io_error(folder, source))?;
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                notice(Notice::Busy);
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Whoever was here before may have removed the file that was waited for.
        let own = file.metadata().map_err(failed)?;
        if fs::metadata(&path).is_ok_and(|there| there.ino() == own.ino()) {
            return Ok(file);
        }
    }
}

fn remove_database(folder: &Path) -> Result<(), EmbeddedError> {
    for end in ["", "-wal", "-shm", "-journal"] {
        let path = folder.join(format!("{DATABASE}{end}"));
        ignore_absent(fs::remove_file(&path)).map_err(|source| io_error(&path, source))?;
    }
    Ok(())
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn io_error(path: &Path, source: io::Error) -> EmbeddedError {
    EmbeddedError::Io {
        path: path.to_owned(),
        source,
    }
}
