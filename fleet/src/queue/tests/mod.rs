//! The queue on SQLite and on PostgreSQL, by the same tests. Time passes when a test says so.

mod admin;
mod claim;
mod complete;
mod connect;
mod invalidate;
mod leases;
mod register;
mod status;
mod submit;
mod wrap;
mod wrong;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::model::{AttemptView, JobState, JobView, Kind, Outcome};
use super::*;
use crate::keys::{Claim, WorkerKey};
use crate::manifest::Manifest;
use crate::objects::ObjectName;
use crate::testing::batch;
use crate::testing::postgres;

/// No test takes so long.
const LEASE: Lease = Lease(Duration::from_secs(60));
/// Attempts that fail before a job is dead-lettered.
const MAX_FAILURES: u32 = 3;
/// The digest of the file of every batch here.
const SOURCE: &str = "5a";
/// The memory of a worker that can do all jobs.
const MEMORY: u64 = 1 << 40;

/// Columns with a time, by table.
const TIMES: [(&str, &[&str]); 6] = [
    ("circuits", &["added"]),
    ("workers", &["registered", "revoked"]),
    ("instances", &["started", "seen", "left_at"]),
    ("batches", &["submitted", "finished"]),
    (
        "jobs",
        &[
            "submitted",
            "not_before",
            "started",
            "lease",
            "deadline",
            "finished",
        ],
    ),
    ("attempts", &["started", "ended"]),
];

/// A queue with the keys of its workers.
struct Fleet {
    queue: Queue,
    keys: Mutex<HashMap<String, Arc<WorkerKey>>>,
    // Of SQLite.
    _folder: TempDir,
}

/// Runs a test on each engine, in a new database.
async fn on_both(test: impl AsyncFn(&Fleet)) {
    for is_postgres in [false, true] {
        let folder = TempDir::new().unwrap();
        let url = match is_postgres {
            true => postgres::database().await,
            false => format!("sqlite://{}/queue.db", folder.path().display()),
        };
        // Shown if the test fails.
        println!("on {url}");
        let fleet = Fleet {
            queue: Queue::connect(&url).await.unwrap(),
            keys: Mutex::default(),
            _folder: folder,
        };
        test(&fleet).await;
        fleet.queue.close().await;
    }
}

impl Fleet {
    /// Submits the batch of an outline: its id.
    async fn submit(&self, shards: usize, seed: u64) -> String {
        let manifest = batch::manifest(shards, seed);
        let (id, submitted) = self.submit_manifest(&manifest).await;
        assert_eq!(submitted, Submitted::New);
        id
    }

    async fn submit_manifest(&self, manifest: &Manifest) -> (String, Submitted) {
        let id = ObjectName::of(&manifest.to_bytes().unwrap());
        let submission = Submission {
            id,
            manifest,
            source: SOURCE,
            label: "batch.bin",
            max_failures: MAX_FAILURES,
        };
        let submitted = self.queue.submit(&submission).await.unwrap();
        (id.to_string(), submitted)
    }

    /// The key of a worker, drawn when it is first asked for.
    fn key(&self, worker: &str) -> Arc<WorkerKey> {
        let mut keys = self.keys.lock().unwrap();
        let new = || Arc::new(WorkerKey::generate().unwrap());
        keys.entry(worker.to_owned()).or_insert_with(new).clone()
    }

    async fn register(&self, worker: &str) {
        let key = self.key(worker).public();
        self.queue.register(worker, &key).await.unwrap();
    }

    /// Enrols a worker that can do everything, and presents a process of the same name.
    async fn worker(&self, name: &str) {
        self.worker_with(name, &Kind::ALL, MEMORY).await;
    }

    async fn worker_with(&self, name: &str, kinds: &[Kind], memory: u64) {
        self.register(name).await;
        let circuits = hex::encode(batch::CIRCUITS);
        let registration = self.register_instance(name, kinds, memory, &circuits).await;
        assert_eq!(registration.unwrap(), name);
    }

    async fn register_instance(
        &self,
        worker: &str,
        kinds: &[Kind],
        memory: u64,
        circuits: &str,
    ) -> Result<String, QueueError> {
        let key = self.key(worker);
        let instance = worker;
        let registration = Registration {
            instance,
            key: &key.public(),
            signature: &key.sign(&Claim::Registration { instance, circuits }),
            host: "here",
            profile: "unsound-test",
            circuits,
            kinds,
            slots: 1,
            memory,
        };
        self.queue.register_instance(&registration).await
    }

    /// What a worker gets that takes everything.
    async fn claim(&self, worker: &str) -> Option<Claimed> {
        let claimed = self.queue.claim(worker, &wanted(&Kind::ALL), LEASE).await;
        claimed.unwrap()
    }

    /// A job that is there.
    async fn take(&self, worker: &str) -> Claimed {
        self.claim(worker).await.expect("a job")
    }

    async fn complete(
        &self,
        worker: &str,
        claimed: &Claimed,
    ) -> Result<CompletionOutcome, QueueError> {
        let tree = self.queue.tree_view(&claimed.batch).await?;
        let took = tree.and_then(|tree| {
            let job = tree.jobs.iter().find(|job| job.id == claimed.job)?;
            Some(Duration::from_millis(tree.now.abs_diff(job.started?)))
        });
        self.deliver(worker, claimed, result(claimed), took).await
    }

    /// A done job with its result, as whoever uses it gets it.
    async fn child(&self, claimed: &Claimed) -> Child {
        let job = self.job(claimed).await;
        if job.kind == Kind::Finish {
            return self.queue.finish_of(&job.batch).await.unwrap();
        }
        if job.kind == Kind::Wrap {
            return self.queue.wrap_of(&job.batch).await.unwrap().unwrap();
        }
        let children = self.queue.children(&job.batch, &job.parent.unwrap()).await;
        let mut children = children.unwrap().into_iter();
        children.find(|child| child.job == job.id).unwrap()
    }

    async fn deliver(
        &self,
        worker: &str,
        claimed: &Claimed,
        result: ObjectName,
        took: Option<Duration>,
    ) -> Result<CompletionOutcome, QueueError> {
        let held = held(claimed);
        let claim = Claim::Result {
            batch: &held.batch,
            job: &held.job,
            result,
        };
        let completion = Completion {
            held: &held,
            instance: worker,
            result,
            signature: &self.key(worker).sign(&claim),
            took,
        };
        self.queue.complete(&completion).await
    }

    /// Takes a job and does it.
    async fn work(&self, worker: &str) -> Claimed {
        let claimed = self.take(worker).await;
        let done = self.complete(worker, &claimed).await.unwrap();
        assert_eq!(done, CompletionOutcome::Accepted);
        claimed
    }

    async fn fail(&self, claimed: &Claimed) {
        let failed = self.queue.fail(&held(claimed), "it went wrong", true).await;
        failed.unwrap();
    }

    /// Moves everything that has happened into the past.
    async fn pass(&self, time: Duration) {
        let millis = time.as_millis();
        for (table, columns) in TIMES {
            let shifts = columns
                .iter()
                .map(|column| format!("{column} = {column} - {millis}"));
            let shifts: Vec<_> = shifts.collect();
            self.execute(&format!("UPDATE {table} SET {}", shifts.join(", ")))
                .await;
        }
    }

    async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query(sql).execute(&self.queue.pool).await.unwrap();
    }

    async fn jobs(&self, batch: &str) -> Vec<JobView> {
        self.queue.tree_view(batch).await.unwrap().unwrap().jobs
    }

    async fn job(&self, claimed: &Claimed) -> JobView {
        let jobs = self.jobs(&claimed.batch).await;
        jobs.into_iter().find(|job| job.id == claimed.job).unwrap()
    }

    async fn state(&self, claimed: &Claimed) -> JobState {
        self.job(claimed).await.state
    }

    /// The only job of a kind.
    async fn only(&self, batch: &str, kind: Kind) -> JobView {
        let jobs = self.jobs(batch).await;
        let mut found = jobs.into_iter().filter(|job| job.kind == kind);
        let job = found.next().unwrap();
        assert_eq!(found.next(), None);
        job
    }

    async fn attempts(&self, claimed: &Claimed) -> Vec<AttemptView> {
        let attempts = self.queue.attempts(&claimed.batch, &claimed.job).await;
        attempts.unwrap()
    }

    /// How the attempts at a job ended.
    async fn outcomes(&self, claimed: &Claimed) -> Vec<Option<Outcome>> {
        let attempts = self.attempts(claimed).await;
        attempts
            .into_iter()
            .map(|attempt| attempt.outcome)
            .collect()
    }
}

/// Fails a job that "a" has until it is dead-lettered; no other may be ready before it.
async fn dead_letter(fleet: &Fleet, claimed: &Claimed) {
    let mut claimed = claimed.clone();
    for _ in 1..MAX_FAILURES {
        fleet.fail(&claimed).await;
        fleet.pass(Duration::from_secs(60)).await;
        let again = fleet.take("a").await;
        assert_eq!(again.job, claimed.job);
        claimed = again;
    }
    fleet.fail(&claimed).await;
}

fn held(claimed: &Claimed) -> JobLease {
    JobLease::from(claimed)
}

/// The object that stands for the result of a job.
fn result(claimed: &Claimed) -> ObjectName {
    ObjectName::of(claimed.job.as_bytes())
}

/// Whatever job of these kinds there is.
fn wanted(kinds: &[Kind]) -> Wanted<'_> {
    Wanted {
        kinds,
        memory: MEMORY,
        batch: None,
    }
}
