//! A worker: takes jobs that fit, proves them, hands the results in.

mod error;
mod heartbeat;
mod inputs;
mod job;
mod retry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shardfold_prover::Stage;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use crate::engine::Engine;
use crate::keys::{Claim, WorkerKey};
use crate::objects::Objects;
use crate::queue::model::Kind;
use crate::queue::{Claimed, JobLease, Lease, Queue, QueueError, Registration, Wanted};
use heartbeat::{Heartbeat, Registry};
use inputs::Manifests;
use job::JobOutcome;
use retry::RetryPolicy;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kinds of jobs that it takes.
    pub kinds: Vec<Kind>,
    /// The batch whose jobs it takes; those of any if none.
    pub batch: Option<String>,
    /// Jobs at the same time; each uses all threads of the pool where it can.
    pub jobs: usize,
    /// The memory that they may take together beside the circuits, in bytes.
    pub memory: u64,
    /// How long a job is lent without a sign of life.
    pub lease: Duration,
    /// The longest pause before the queue is asked again when there was nothing to do.
    pub poll: Duration,
    /// How long running jobs may go on after the worker is asked to stop.
    pub drain: Duration,
    /// How long the store may be unavailable to this worker before others get the job.
    pub store_retry: Duration,
    /// How long the database may be unavailable before the worker gives up; without end if none.
    pub database_retry: Option<Duration>,
    /// Whether the worker leaves when nothing is left to do for any worker.
    pub until_idle: bool,
}

/// What happens on the way.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job was taken.
    Started(Work),
    /// A stage of a shard is done.
    Stage {
        /// The job.
        work: Work,
        /// The stage.
        stage: Stage,
        /// How long it took.
        took: Duration,
    },
    /// A job is done.
    Done {
        /// The job.
        work: Work,
        /// How long it took.
        took: Duration,
        /// Whether the store had its result already.
        found: bool,
    },
    /// A result that the store has of the job cannot be used.
    Unusable {
        /// The job.
        work: Work,
        /// Why the result cannot be used.
        reason: String,
    },
    /// An attempt went wrong.
    Failed {
        /// The job.
        work: Work,
        /// Why the attempt failed.
        reason: String,
    },
    /// A job is given back: another worker has done it, or must do something first.
    GivenBack {
        /// The job.
        work: Work,
        /// Why the job is given back.
        reason: String,
    },
    /// The database or the store is unavailable, and the worker waits for it.
    Waiting {
        /// The error for which the worker waits.
        reason: String,
    },
}

/// A job as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// Its batch.
    pub batch: String,
    /// Its id.
    pub job: String,
    /// What it does.
    pub kind: Kind,
    /// The first shard covered.
    pub first: usize,
    /// The shard after the last one covered.
    pub end: usize,
}

impl From<&Claimed> for Work {
    fn from(claimed: &Claimed) -> Self {
        Self {
            batch: claimed.batch.clone(),
            job: claimed.job.clone(),
            kind: claimed.kind,
            first: claimed.first,
            end: claimed.end,
        }
    }
}

/// Who hears of events, from any thread.
pub type Observer = dyn Fn(&Event) + Send + Sync;

/// Why a worker stops working.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The queue refuses it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The thread that keeps its leases cannot be started.
    #[error("the thread that keeps the leases could not be started: {0}")]
    Heartbeat(std::io::Error),
    /// The thread that keeps its leases is gone.
    #[error("the thread that keeps the leases has ended; its message is above")]
    NoHeartbeat,
}

/// A worker process of a fleet.
pub struct Worker {
    context: Arc<Context>,
    options: Options,
}

/// What all jobs of a worker share.
struct Context {
    queue: Queue,
    objects: Objects,
    engine: Arc<Engine>,
    circuits: String,
    key: WorkerKey,
    instance: String,
    observer: Box<Observer>,
    manifests: Mutex<Manifests>,
    registry: Arc<Registry>,
    /// Whether the database has to be told again of this worker process.
    is_forgotten: Arc<AtomicBool>,
    retry: RetryPolicy,
}

impl Context {
    fn tell(&self, event: &Event) {
        (self.observer)(event);
    }
}

/// Failures in a row before a worker pauses, and the longest pause: one with a broken machine
/// shall not fail every job there is.
const PAUSE_AFTER: u32 = 2;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Worker {
    /// Returns a worker named `instance`, which no other process may be.
    pub fn new(
        queue: Queue,
        objects: Objects,
        engine: Arc<Engine>,
        key: WorkerKey,
        instance: String,
        options: Options,
        observer: Box<Observer>,
    ) -> Self {
        let context = Context {
            queue,
            objects,
            circuits: hex::encode(engine.key().id()),
            engine,
            key,
            instance,
            observer,
            manifests: Mutex::default(),
            registry: Arc::default(),
            is_forgotten: Arc::default(),
            retry: RetryPolicy::new(&options),
        };
        Self {
            context: Arc::new(context),
            options,
        }
    }

    /// Works until `stop` says so, or nothing is left to do if that is asked for.
    ///
    /// # Errors
    /// If the queue refuses the worker. An unavailable database or store is no error.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), WorkerError> {
        let context = &self.context;
        tokio::select! {
            registration = self.register_instance() => registration?,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let lease = Lease(self.options.lease);
        let heartbeat = Heartbeat::start(context, lease).map_err(WorkerError::Heartbeat)?;
        let mut running = JoinSet::new();
        let worked = self.work(&mut running, &mut stop, &heartbeat).await;
        self.drain(&mut running).await;
        heartbeat.stop();
        if let Err(error) = context.queue.deregister_instance(&context.instance).await {
            tracing::warn!(
                error = error.to_string(),
                "could not give back what is not done"
            );
        }
        worked
    }

    async fn register_instance(&self) -> Result<(), WorkerError> {
        let context = &self.context;
        let claim = Claim::Registration {
            instance: &context.instance,
            circuits: &context.circuits,
        };
        let (key, signature) = (context.key.public(), context.key.sign(&claim));
        let registration = Registration {
            instance: &context.instance,
            key: &key,
            signature: &signature,
            host: &host(),
            profile: context.engine.profile().name(),
            circuits: &context.circuits,
            kinds: &self.options.kinds,
            slots: self.options.jobs as u64,
            memory: self.options.memory,
        };
        context
            .database(|| context.queue.register_instance(&registration))
            .await
            .map(|worker| tracing::info!(worker, instance = context.instance, "ready"))?;
        Ok(())
    }

    /// Takes jobs and waits for them, until there is a reason to stop.
    async fn work(
        &self,
        running: &mut JoinSet<JobOutcome>,
        stop: &mut watch::Receiver<bool>,
        heartbeat: &Heartbeat,
    ) -> Result<(), WorkerError> {
        let context = &self.context;
        let mut taken: HashMap<Id, u64> = HashMap::new();
        let mut failures = 0;
        while !*stop.borrow() {
            if !heartbeat.is_alive() {
                return Err(WorkerError::NoHeartbeat);
            }
            let mut claimed = None;
            if running.len() < self.options.jobs {
                let taken = taken
                    .values()
                    .fold(0, |sum: u64, job| sum.saturating_add(*job));
                let free = self.options.memory.saturating_sub(taken);
                claimed = tokio::select! {
                    claimed = self.claim(free) => claimed?,
                    _ = stop.wait_for(|stop| *stop) => break,
                };
            }
            if let Some(claimed) = claimed {
                let memory = claimed.memory;
                let task = running.spawn(context.clone().run(claimed));
                taken.insert(task.id(), memory);
                continue;
            }
            if running.is_empty() && self.options.until_idle && self.is_idle().await? {
                break;
            }
            tokio::select! {
                Some(ended) = running.join_next_with_id() => {
                    let (id, ended) = ended.unwrap_or_else(|error| (error.id(), JobOutcome::Failed));
                    taken.remove(&id);
                    failures = if ended == JobOutcome::Failed { failures + 1 } else { 0 };
                }
                () = tokio::time::sleep(self.options.poll) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
            if failures >= PAUSE_AFTER {
                let pause = Duration::from_secs(1 << failures.min(6)).min(LONGEST_PAUSE);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
        }
        Ok(())
    }

    async fn claim(&self, free: u64) -> Result<Option<Claimed>, WorkerError> {
        let context = &self.context;
        if context.is_forgotten.swap(false, Ordering::Relaxed) {
            tracing::warn!("the database has not heard of this worker: registering again");
            self.register_instance().await?;
        }
        let Options { kinds, batch, .. } = &self.options;
        let lease = Lease(self.options.lease);
        let wanted = Wanted {
            kinds,
            memory: free,
            batch: batch.as_deref(),
        };
        let is_unsure = AtomicBool::new(false);
        let (queue, instance) = (&context.queue, &context.instance);
        let claim = || async {
            // An answer that was lost may have been that of a claim.
            if is_unsure.load(Ordering::Relaxed) {
                queue
                    .release_unknown(instance, &context.registry.all())
                    .await?;
            }
            is_unsure.store(true, Ordering::Relaxed);
            queue.claim(instance, &wanted, lease).await
        };
        let claimed = context.database(claim).await?;
        match &claimed {
            // Known before its task has begun, and so not given back.
            Some(claimed) => drop(context.registry.add(JobLease::from(claimed))),
            None => {
                // A worker that may not work hears of it.
                let (key, profile) = (context.key.public(), context.engine.profile().name());
                let admit = || context.queue.admit(&key, profile, &context.circuits);
                context.database(admit).await?;
            }
        }
        Ok(claimed)
    }

    async fn is_idle(&self) -> Result<bool, WorkerError> {
        let context = &self.context;
        let batch = self.options.batch.as_deref();
        let idle = || context.queue.is_idle(&context.circuits, batch);
        Ok(context.database(idle).await?)
    }

    /// Waits for running jobs as long as is allowed, then ends them.
    async fn drain(&self, running: &mut JoinSet<JobOutcome>) {
        let deadline = Instant::now() + self.options.drain;
        let all = async { while running.join_next().await.is_some() {} };
        let _ = tokio::time::timeout_at(deadline.into(), all).await;
        // Threads whose proofs are no longer wanted end at their next stage.
        for held in self.context.registry.all() {
            self.context.registry.lose(&held);
        }
        running.abort_all();
    }
}

/// The machine's name.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unknown".to_owned(),
        name => name.to_owned(),
    }
}
