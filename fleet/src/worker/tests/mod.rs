//! Workers that prove real shards, with circuits that are small and not sound.

mod faults;
mod lies;
mod rules;
mod wraps;

use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;
use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

use super::*;
use crate::manifest::Manifest;
use crate::objects::{Folder, ObjectName};
use crate::queue::model::{AttemptView, BatchState, JobState, JobView};
use crate::queue::{Completion, CompletionOutcome};
use crate::submit::{self, Data, Executed};
use crate::testing::batch::{ENGINE, SHARDS};

/// A lease that runs out within a test.
const SHORT: Duration = Duration::from_millis(300);
/// The memory of a worker that can do all jobs.
const MEMORY: u64 = 1 << 40;

/// A queue and a store, both in one folder.
struct Fleet {
    url: String,
    queue: Queue,
    objects: Objects,
    folder: TempDir,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Fleet {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/queue.db", folder.path().display());
        let store = folder.path().join("store");
        Self {
            queue: Queue::connect(&url).await.unwrap(),
            objects: Objects::create(store.to_str().unwrap()).await.unwrap(),
            url,
            folder,
            events: Arc::default(),
        }
    }

    /// A fleet with the batch of these shards, no job of which may fail twice.
    async fn with(shards: &[ShardWitness]) -> (Self, String) {
        Self::with_data(shards, None).await
    }

    /// The same with what is published of it.
    async fn with_data(shards: &[ShardWitness], data: Option<Data<'_>>) -> (Self, String) {
        let fleet = Self::new().await;
        let executed = Executed {
            profile: Profile::UnsoundTest,
            circuits: ENGINE.key().id(),
            source: "5a",
            label: "batch.bin",
            shards,
            data,
            max_failures: 2,
        };
        let submitted = submit::submit(&fleet.queue, &fleet.objects, &executed).await;
        let (batch, _) = submitted.unwrap();
        (fleet, batch.to_string())
    }

    /// A worker that is registered, and leaves when nothing is left to do.
    async fn worker(&self, name: &str) -> Worker {
        self.watched(name, |_| {}).await
    }

    /// As `worker`, with somebody who hears of its events.
    async fn watched(&self, name: &str, watch: impl Fn(&Event) + Send + Sync + 'static) -> Worker {
        self.registered(name, options(), watch).await
    }

    /// As `watched`, with options.
    async fn registered(
        &self,
        name: &str,
        options: Options,
        watch: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Worker {
        let key = WorkerKey::generate().unwrap();
        self.queue.register(name, &key.public()).await.unwrap();
        self.unregistered(name, key, options, watch)
    }

    fn unregistered(
        &self,
        name: &str,
        key: WorkerKey,
        options: Options,
        watch: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Worker {
        let events = self.events.clone();
        let observer = move |event: &Event| {
            events.lock().unwrap().push(event.clone());
            watch(event);
        };
        let (queue, objects) = (self.queue.clone(), self.objects.clone());
        let instance = name.to_owned();
        let (engine, observer) = (ENGINE.clone(), Box::new(observer));
        Worker::new(queue, objects, engine, key, instance, options, observer)
    }

    /// Runs a worker until it stops of itself.
    async fn run(&self, worker: &Worker) -> Result<(), WorkerError> {
        let (_stop, stopped) = watch::channel(false);
        worker.run(stopped).await
    }

    async fn work_off(&self, name: &str) {
        let worker = self.worker(name).await;
        self.run(&worker).await.unwrap();
    }

    async fn execute(&self, sql: &'static str) {
        let mut database = AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query(sql).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }

    async fn jobs(&self, batch: &str) -> Vec<JobView> {
        self.queue.tree_view(batch).await.unwrap().unwrap().jobs
    }

    async fn attempts(&self, job: &JobView) -> Vec<AttemptView> {
        self.queue.attempts(&job.batch, &job.id).await.unwrap()
    }

    async fn strikes(&self, worker: &str) -> u64 {
        let view = self.queue.fleet_view(1).await.unwrap();
        let mut workers = view.workers.iter();
        workers.find(|found| found.name == worker).unwrap().strikes
    }

    /// Opens a proven batch again, as if its proof was lost.
    async fn lose_proof(&self, batch: &str) {
        let finish = self.queue.finish_of(batch).await.unwrap();
        let invalidated = self
            .queue
            .invalidate_proof(batch, &finish, false, "it is lost");
        invalidated.await.unwrap();
    }

    /// The reason of a job that is dead-lettered.
    async fn dead_lettered(&self, batch: &str) -> String {
        let jobs = self.jobs(batch).await;
        let dead_lettered = jobs.iter().find(|job| job.state == JobState::DeadLettered);
        let attempts = self.attempts(dead_lettered.unwrap()).await;
        attempts.last().unwrap().reason.clone().unwrap()
    }

    /// Checks that the batch has a valid proof of what its shards state.
    async fn check_proof(&self, batch: &str, shards: &[ShardWitness]) {
        let view = self.queue.tree_view(batch).await.unwrap().unwrap().batch;
        assert_eq!(view.state, BatchState::Proven);
        let name = view.proof.unwrap().parse().unwrap();
        let bytes = self
            .objects
            .get(Folder::Proof, name, 1 << 24)
            .await
            .unwrap();
        let proof = shardfold_aggregator::ValidityProof::from_bytes(&bytes).unwrap();
        let expected = shardfold_protocol::head::Statement {
            after: shards.last().unwrap().statement.after,
            ..shards[0].statement
        };
        ENGINE.check_finished(&proof, &expected).unwrap();
    }

    /// Kinds and first shards of the jobs that were done, and whether they were found.
    fn done(&self) -> Vec<(Kind, usize, bool)> {
        let events = self.events.lock().unwrap();
        let done = events.iter().filter_map(|event| match event {
            Event::Done { work, found, .. } => Some((work.kind, work.first, *found)),
            _ => None,
        });
        done.collect()
    }

    fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| is_it(event)).count()
    }
}

/// One job at a time, of any kind, until nothing is left to do.
fn options() -> Options {
    Options {
        kinds: Kind::ALL.to_vec(),
        batch: None,
        jobs: 1,
        memory: MEMORY,
        // Nobody loses a job because this machine is busy.
        lease: Duration::from_secs(60),
        poll: Duration::from_millis(20),
        drain: Duration::ZERO,
        store_retry: Duration::from_secs(20),
        database_retry: None,
        until_idle: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_proves_a_batch_and_does_each_job_once() {
    let (fleet, batch) = Fleet::with(&SHARDS).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS).await;
    let expected = [
        (Kind::Shard, 0, false),
        (Kind::Shard, 1, false),
        (Kind::Aggregate, 0, false),
        (Kind::Shard, 2, false),
        (Kind::Aggregate, 0, false),
        (Kind::Finish, 0, false),
    ];
    assert_eq!(fleet.done(), expected);
    let failed = |event: &Event| {
        !matches!(
            event,
            Event::Started(_) | Event::Stage { .. } | Event::Done { .. }
        )
    };
    assert_eq!(fleet.count(failed), 0);
    // It has said that it leaves.
    let view = fleet.queue.fleet_view(1).await.unwrap();
    assert!(view.instances[0].left.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_shard_is_proven_too() {
    let (fleet, batch) = Fleet::with(&SHARDS[..1]).await;
    fleet.work_off("a").await;
    fleet.check_proof(&batch, &SHARDS[..1]).await;
}
