//! Jobs that the queue hands out and takes back in a second, with workers that prove nothing.
//!
//! `cargo bench -p shardfold-benches --bench queue`, on SQLite in a temporary folder and, if
//! `SHARDFOLD_BENCH_DATABASE` names one, in an empty database of PostgreSQL. The batch has
//! `SHARDFOLD_QUEUE_SHARDS` shards (2,048), so about twice as many jobs. Prints a table.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use shardfold_benches::machine;
use shardfold_benches::outline::{CIRCUITS, outline};
use shardfold_fleet::keys::{Claim, WorkerKey};
use shardfold_fleet::objects::ObjectName;
use shardfold_fleet::queue::model::{BatchState, Kind};
use shardfold_fleet::queue::{
    Claimed, Completion, CompletionOutcome, JobLease, Lease, Queue, QueueError, Registration,
    Submission, Wanted,
};
use shardfold_recursion::profile::Profile;
use tokio::task::JoinSet;

/// Workers at a time.
const WORKERS: [usize; 3] = [1, 8, 32];
/// Enough for all jobs.
const MEMORY: u64 = 1 << 40;
const LEASE: Lease = Lease(Duration::from_secs(60));
/// How long a worker waits that finds no job.
const POLL: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() -> Result<()> {
    let shards = match std::env::var("SHARDFOLD_QUEUE_SHARDS") {
        Ok(shards) => shards.parse().context("SHARDFOLD_QUEUE_SHARDS")?,
        Err(_) => 2_048,
    };
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite://{}/queue.db", folder.path().display());
    let postgres = std::env::var("SHARDFOLD_BENCH_DATABASE").ok();
    println!("{}, {} cores\n", machine::processor(), machine::cores());
    println!(
        "| database | workers | jobs | submit, s | jobs a second | claim, ms: median, 99 % | complete, ms: median, 99 % |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let databases = [("SQLite", Some(sqlite)), ("PostgreSQL", postgres)];
    let mut seed = 0;
    for (name, url) in databases {
        let Some(url) = url else { continue };
        for workers in WORKERS {
            seed += 1;
            let (submit, work) = run(&url, shards, seed, workers).await?;
            let rate = work.jobs as f64 / work.took.as_secs_f64();
            let (claims, completions) = (Spread::of(work.claims), Spread::of(work.completions));
            println!(
                "| {name} | {workers} | {} | {:.2} | {rate:.0} | {claims} | {completions} |",
                work.jobs,
                submit.as_secs_f64(),
            );
        }
    }
    Ok(())
}

/// What was done, and how long each step took.
#[derive(Default)]
struct Work {
    jobs: usize,
    took: Duration,
    claims: Vec<Duration>,
    completions: Vec<Duration>,
}

/// Submits a batch and works it off: the time of submitting, and the work.
async fn run(url: &str, shards: usize, seed: u64, workers: usize) -> Result<(Duration, Work)> {
    let queue = Queue::connect(url).await?;
    let manifest = outline(shards, seed)?;
    let id = ObjectName::of(&manifest.to_bytes()?);
    let submission = Submission {
        id,
        manifest: &manifest,
        source: "5a",
        label: "batch.bin",
        max_failures: 3,
    };
    let start = Instant::now();
    queue.submit(&submission).await?;
    let submit = start.elapsed();

    let mut greeted = Vec::new();
    for worker in 0..workers {
        let (name, key) = (format!("w{seed}-{worker}"), WorkerKey::generate()?);
        queue.register(&name, &key.public()).await?;
        // As many processes would: each with connections of its own.
        let queue = Queue::connect(url).await?;
        register_instance(&queue, &name, &key).await?;
        greeted.push((queue, name, key));
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for (queue, name, key) in greeted {
        running.spawn(work(queue, name, key));
    }
    let mut all = Work::default();
    while let Some(done) = running.join_next().await {
        let done = done??;
        all.jobs += done.jobs;
        all.claims.extend(done.claims);
        all.completions.extend(done.completions);
    }
    all.took = start.elapsed();
    let tree = queue.tree_view(&id.to_string()).await?;
    let batch = tree.context("the batch is there")?.batch;
    ensure!(batch.state == BatchState::Proven, "the batch is not done");
    Ok((submit, all))
}

async fn register_instance(queue: &Queue, name: &str, key: &WorkerKey) -> Result<()> {
    let circuits = hex::encode(CIRCUITS);
    let claim = Claim::Registration {
        instance: name,
        circuits: &circuits,
    };
    let registration = Registration {
        instance: name,
        key: &key.public(),
        signature: &key.sign(&claim),
        host: "here",
        profile: Profile::UnsoundTest.name(),
        circuits: &circuits,
        kinds: &Kind::ALL,
        slots: 1,
        memory: MEMORY,
    };
    queue.register_instance(&registration).await?;
    Ok(())
}

/// Takes jobs and hands results in until nothing is left.
async fn work(queue: Queue, name: String, key: WorkerKey) -> Result<Work> {
    let circuits = hex::encode(CIRCUITS);
    let mut work = Work::default();
    let wanted = Wanted {
        kinds: &Kind::ALL,
        memory: MEMORY,
        batch: None,
    };
    loop {
        let start = Instant::now();
        let claimed = retrying(|| queue.claim(&name, &wanted, LEASE)).await?;
        let Some(claimed) = claimed else {
            if retrying(|| queue.is_idle(&circuits, None)).await? {
                return Ok(work);
            }
            tokio::time::sleep(POLL).await;
            continue;
        };
        work.claims.push(start.elapsed());
        let start = Instant::now();
        complete(&queue, &name, &key, &claimed).await?;
        work.completions.push(start.elapsed());
        work.jobs += 1;
    }
}

async fn complete(queue: &Queue, name: &str, key: &WorkerKey, claimed: &Claimed) -> Result<()> {
    let held = JobLease::from(claimed);
    let result = ObjectName::of(held.job.as_bytes());
    let claim = Claim::Result {
        batch: &held.batch,
        job: &held.job,
        result,
    };
    let completion = Completion {
        held: &held,
        instance: name,
        result,
        signature: &key.sign(&claim),
        took: Some(Duration::from_secs(1)),
    };
    let done = retrying(|| queue.complete(&completion)).await?;
    ensure!(
        done == CompletionOutcome::Accepted,
        "a result was not taken: {done:?}"
    );
    Ok(())
}

/// What `ask` answers, asked again while the database is busy, as a worker does.
async fn retrying<T, F: Future<Output = Result<T, QueueError>>>(ask: impl Fn() -> F) -> Result<T> {
    loop {
        match ask().await {
            Err(error) if error.is_transient() => tokio::time::sleep(POLL).await,
            answer => return Ok(answer?),
        }
    }
}

/// The middle and the slow end of some times.
struct Spread {
    median: Duration,
    slow: Duration,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| {
            let place = times.len() * part / 100;
            times.get(place).copied().unwrap_or_default()
        };
        Self {
            median: at(50),
            slow: at(99),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, slow] = [self.median, self.slow].map(|time| time.as_secs_f64() * 1e3);
        write!(f, "{median:.1}, {slow:.1}")
    }
}
