//! How a fleet does, by simulation from measured job times.
//!
//! `cargo bench -p shardfold-benches --bench simulation -- FILE.json`
//!
//! FILE.json is either what `scripts/two-workers.sh` prints: then the run of two workers is
//! predicted from the jobs of the run of one, and compared with what was measured. Or it describes a
//! stream (`{"stream": {...}}`, the fields of [`Stream`]): then the table says how many workers
//! bear it, how long a transaction waits for its proof, and what passes through the store and the
//! queue.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use shardfold_benches::outline::outline;
use shardfold_benches::simulation::{Fleet, JobSeconds, run};
use shardfold_recursion::profile::Profile;

/// What FILE.json holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Input {
    TwoWorkers(TwoWorkers),
    Stream(Stream),
}

/// One batch, proven by one worker and by two.
#[derive(Deserialize)]
struct TwoWorkers {
    profile: String,
    shards: usize,
    one: Measured,
    two: Measured,
}

/// A run: from the first job taken to the last one done, and what a job of each kind took on the
/// average, with the pause after it.
#[derive(Deserialize)]
struct Measured {
    seconds: f64,
    shard: f64,
    #[serde(default)]
    aggregate: f64,
    finish: f64,
}

impl Measured {
    fn jobs(&self) -> JobSeconds {
        JobSeconds {
            shard: self.shard,
            aggregate: self.aggregate,
            finish: self.finish,
            // The measured batches have no settlement proof.
            wrap: 0.0,
        }
    }
}

/// A stream of transactions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    /// Transactions a second.
    transactions: f64,
    /// Transactions of a full shard.
    capacity: f64,
    arity: usize,
    /// Seconds of a job on one worker.
    shard: f64,
    aggregate: f64,
    finish: f64,
    /// Seconds of executing and cutting, for each transaction.
    execute: f64,
    /// Bytes in the store, of a shard's witness, of a part's proof and of a validity proof.
    witness_bytes: f64,
    part_bytes: f64,
    proof_bytes: f64,
    /// Seconds between the signs of life of a worker.
    heartbeat: f64,
    /// Seconds of transactions in a batch: one line of the table for each.
    batch_seconds: Vec<f64>,
}

fn main() -> Result<()> {
    let mut files = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(file) = files.next().map(PathBuf::from) else {
        println!("cargo bench -p shardfold-benches --bench simulation -- FILE.json");
        return Ok(());
    };
    let text = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let input = serde_json::from_slice(&text).with_context(|| file.display().to_string())?;
    match input {
        Input::TwoWorkers(measured) => two_workers(&measured),
        Input::Stream(stream) => scale(&stream),
    }
}

fn two_workers(measured: &TwoWorkers) -> Result<()> {
    let profile = Profile::named(&measured.profile).context("no such profile")?;
    let batch = outline(measured.shards, 0)?;
    let predict = |seconds, workers| -> Result<f64> {
        let fleet = Fleet {
            workers,
            seconds,
            batch: &batch,
            arity: profile.arity(),
            batches: 1,
            interval: 0.0,
        };
        Ok(run(&fleet)?.seconds)
    };
    println!("| run | job times of | predicted, s | measured, s | ratio |");
    println!("| --- | --- | --- | --- | --- |");
    let (one, two) = (&measured.one, &measured.two);
    for (workers, from, jobs, seconds) in [
        (1, "one worker", one.jobs(), one.seconds),
        (2, "one worker", one.jobs(), two.seconds),
        (2, "two workers", two.jobs(), two.seconds),
    ] {
        let predicted = predict(jobs, workers)?;
        let ratio = predicted / seconds;
        println!("| {workers} | {from} | {predicted:.1} | {seconds:.1} | {ratio:.3} |");
    }
    Ok(())
}

/// How busy the workers of a fleet may be, so that a batch seldom waits for the one before it.
const BUSY: f64 = 0.9;
/// Batches that are simulated, of which the last half counts.
const BATCHES: usize = 40;

fn scale(stream: &Stream) -> Result<()> {
    ensure!(
        stream.transactions > 0.0 && stream.capacity >= 1.0,
        "found {} transactions a second in shards of {}, expected some",
        stream.transactions,
        stream.capacity
    );
    println!(
        "| batch, s | shards | workers | busy | latency, s: median, longest | store in, MB/s | store out, MB/s | queue, jobs/s | signs of life/s |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for &interval in &stream.batch_seconds {
        line(stream, interval)?;
    }
    Ok(())
}

fn line(stream: &Stream, interval: f64) -> Result<()> {
    let in_batch = stream.transactions * interval;
    let shards = (in_batch / stream.capacity).ceil() as usize;
    let batch = outline(shards, 0)?;
    let jobs = batch.jobs(stream.arity);
    let aggregations = jobs.len() - shards - 1;
    let seconds = JobSeconds {
        shard: stream.shard,
        aggregate: stream.aggregate,
        finish: stream.finish,
        wrap: 0.0,
    };
    let work =
        shards as f64 * stream.shard + aggregations as f64 * stream.aggregate + stream.finish;
    let workers = (work / interval / BUSY).ceil() as usize;
    let done = run(&Fleet {
        workers,
        seconds,
        batch: &batch,
        arity: stream.arity,
        batches: BATCHES,
        interval,
    })?;
    // A transaction waits for its batch to be full (the first of it longest), to be executed, and
    // to be proven.
    let executed = in_batch * stream.execute;
    if executed > interval {
        bail!("one executor takes {executed:.1} s for the transactions of {interval} s");
    }
    let mut proven = done.latencies[BATCHES / 2..].to_vec();
    proven.sort_by(f64::total_cmp);
    let median = interval / 2.0 + executed + proven[proven.len() / 2];
    let longest = interval + executed + proven[proven.len() - 1];
    let megabytes = |bytes: f64| bytes / interval / 1e6;
    let (shards, aggregations) = (shards as f64, aggregations as f64);
    let parts = (shards + aggregations) * stream.part_bytes;
    let stored = shards * stream.witness_bytes + parts + stream.proof_bytes;
    println!(
        "| {interval} | {shards} | {workers} | {:.2} | {median:.0}, {longest:.0} | {:.1} | {:.1} | {:.1} | {:.1} |",
        done.busy,
        megabytes(stored),
        // Each witness and each part is read once, and the proof by who asked for it.
        megabytes(stored),
        jobs.len() as f64 / interval,
        workers as f64 / stream.heartbeat
    );
    Ok(())
}
