//! The thread that keeps a worker's leases, so that a busy prover is never taken for a dead
//! one, and takes jobs from workers that are gone.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Context;
use crate::queue::{JobLease, Lease, Queue, QueueError};

/// Signs of life for each lease.
const BEATS: u32 = 4;

/// The jobs that a worker holds, each with a flag that is set when it is lost.
#[derive(Debug, Default)]
pub struct Registry(Mutex<HashMap<JobLease, Arc<AtomicBool>>>);

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobLease, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Holds a job; the flag tells when it is lost.
    pub fn add(&self, held: JobLease) -> Arc<AtomicBool> {
        self.lock().entry(held).or_default().clone()
    }

    /// Holds a job no more.
    pub fn remove(&self, held: &JobLease) {
        self.lock().remove(held);
    }

    /// Sets the flag of a job.
    pub fn lose(&self, held: &JobLease) {
        if let Some(lost) = self.lock().get(held) {
            lost.store(true, Ordering::Relaxed);
        }
    }

    /// Returns what is held.
    pub fn all(&self) -> Vec<JobLease> {
        self.lock().keys().cloned().collect()
    }
}

/// The thread, while it runs.
pub struct Heartbeat {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Heartbeat {
    /// Starts the thread. It has a runtime of its own, which nothing else can keep busy.
    pub fn start(context: &Arc<Context>, lease: Lease) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut beat = Beat {
            queue: context.queue.clone(),
            own: None,
            instance: context.instance.clone(),
            registry: context.registry.clone(),
            is_forgotten: context.is_forgotten.clone(),
            lease,
            unknown: HashSet::new(),
        };
        let thread = thread::Builder::new()
            .name("heartbeat".into())
            .spawn(move || beat.run(&runtime, &stopped))?;
        Ok(Self { stop, thread })
    }

    /// Returns whether the thread is there.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Ends the thread.
    pub fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

struct Beat {
    /// The worker's queue, whose connections belong to the worker's runtime.
    queue: Queue,
    /// The same through connections of this thread.
    own: Option<Queue>,
    instance: String,
    registry: Arc<Registry>,
    /// Set when the database has not heard of this worker process.
    is_forgotten: Arc<AtomicBool>,
    lease: Lease,
    /// Jobs that were this worker's at the last sign of life without its knowing.
    unknown: HashSet<JobLease>,
}

impl Beat {
    fn run(&mut self, runtime: &tokio::runtime::Runtime, stopped: &mpsc::Receiver<()>) {
        let pause = self.lease.0 / BEATS;
        let mut contact = Contact::new(self.lease.0);
        loop {
            let within = self.lease.0;
            let beat = async { tokio::time::timeout(within, self.beat(&mut contact)).await };
            match runtime.block_on(beat) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(
                        error = error.to_string(),
                        "no sign of life reached the database"
                    );
                    self.start_anew(&mut contact);
                }
                Err(_) => self.start_anew(&mut contact),
            }
            match stopped.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => break,
            }
        }
        if let Some(own) = self.own.take() {
            runtime.block_on(own.close());
        }
    }

    /// The connection may be half dead: the next beat makes another one.
    fn start_anew(&mut self, contact: &mut Contact) {
        contact.lost();
        self.own = None;
        self.unknown.clear();
    }

    async fn beat(&mut self, contact: &mut Contact) -> Result<(), QueueError> {
        let queue = match &self.own {
            Some(own) => own.clone(),
            None => {
                let own = self.queue.connect_again().await?;
                self.own.insert(own).clone()
            }
        };
        let before = self.registry.all();
        let Some(held) = queue.heartbeat(&self.instance, self.lease).await? else {
            self.is_forgotten.store(true, Ordering::Relaxed);
            return Ok(());
        };
        for mine in before.iter().filter(|mine| !held.contains(mine)) {
            self.registry.lose(mine);
        }
        self.release_unknown(&queue, held).await?;
        if contact.is_steady() {
            let count = queue.reap().await?;
            if count > 0 {
                tracing::warn!(count, "took jobs from workers that were not heard of");
            }
        }
        Ok(())
    }

    /// Gives back jobs that this worker took without hearing of it, because the answer was
    /// lost with the connection: no worker works on them, and signs of life would keep them. The
    /// answer may only be late, so this waits for the next sign of life.
    async fn release_unknown(
        &mut self,
        queue: &Queue,
        held: Vec<JobLease>,
    ) -> Result<(), QueueError> {
        let known = self.registry.all();
        let unknown = held.into_iter().filter(|held| !known.contains(held));
        let unknown: HashSet<JobLease> = unknown.collect();
        for held in unknown.intersection(&self.unknown) {
            tracing::warn!(
                job = held.job,
                "gave back a job whose claim was not answered"
            );
            let reason = "the answer to the claim was lost";
            queue.release(held, reason).await?;
        }
        self.unknown = unknown;
        Ok(())
    }
}

/// Whether this process has been in touch with the database for two leases. Only then is a
/// lease that ran out a sign that a worker is gone, and not that the database was, or that
/// this process was frozen.
struct Contact {
    lease: Duration,
    since: Option<Instant>,
    last: Instant,
}

impl Contact {
    fn new(lease: Duration) -> Self {
        Self {
            lease,
            since: None,
            last: Instant::now(),
        }
    }

    fn lost(&mut self) {
        self.since = None;
    }

    /// Called at each sign of life that was answered.
    fn is_steady(&mut self) -> bool {
        let now = Instant::now();
        if now - self.last > self.lease {
            self.since = None;
        }
        self.last = now;
        let since = *self.since.get_or_insert(now);
        // By then every other worker has come through: it gives an attempt up after a lease,
        // and makes the next after a pause.
        now - since >= self.lease * 2
    }
}
