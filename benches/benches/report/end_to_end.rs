//! One batch from its files to a verified validity proof.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use shardfold_aggregator::{ValidityProof, verify};
use shardfold_benches::run::Pipeline;
use shardfold_benches::{machine, workload};
use shardfold_contracts::set::standard;
use shardfold_executor::workload::Workload;
use shardfold_executor::{parallel, shards};
use shardfold_fleet::queue::model::Kind;
use shardfold_fleet::worker::Event;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;

use crate::{gibibytes, root};

/// What a run says for the comparison with plonky2 alone.
pub struct Run {
    /// Permutations that the shards' STARKs are asked for.
    pub permutations: usize,
    /// Seconds of all traces and STARKs.
    pub stark_seconds: f64,
}

/// A step of the run.
struct Stage {
    name: &'static str,
    seconds: f64,
    /// The process's peak of memory at the end of the step.
    peak: Option<u64>,
}

/// The steps in the order in which they first ended.
#[derive(Default)]
struct Stages(Vec<Stage>);

impl Stages {
    fn add(&mut self, name: &'static str, took: Duration) {
        let peak = machine::peak_memory_bytes();
        match self.0.iter_mut().find(|stage| stage.name == name) {
            Some(stage) => {
                stage.seconds += took.as_secs_f64();
                stage.peak = peak;
            }
            None => self.0.push(Stage {
                name,
                seconds: took.as_secs_f64(),
                peak,
            }),
        }
    }

    fn time<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        let result = step()?;
        self.add(name, start.elapsed());
        Ok(result)
    }

    fn seconds(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|stage| stage.name == name);
        found.map_or(0.0, |stage| stage.seconds)
    }
}

/// Proves and verifies the batch that the environment names, and reports on it.
pub fn run(report: &mut String, profile: Profile) -> anyhow::Result<Run> {
    let mut stages = Stages::default();
    let (source, Workload { mut state, batch }) = stages.time("read", || input(profile))?;
    let outcome = stages.time("execute", || {
        Ok(parallel::execute(standard(), &state, &batch)?)
    })?;
    let witnesses = stages.time("cut into shards", || {
        Ok(shards::cut(
            standard(),
            &mut state,
            &batch,
            &outcome,
            profile.shapes(),
        )?)
    })?;
    ensure!(!witnesses.is_empty(), "{source} has no valid transaction");
    let pipeline = stages.time("load or build circuits", || {
        Pipeline::load(profile, &witnesses)
    })?;

    let jobs = jobs()?;
    let proving = Arc::new(Mutex::new((Stages::default(), 0)));
    let heard = proving.clone();
    let observer = move |event: &Event| {
        let mut heard = heard.lock().unwrap_or_else(|error| error.into_inner());
        match event {
            Event::Stage { stage, took, .. } => heard.0.add(stage.name(), *took),
            Event::Done { work, took, .. } if work.kind == Kind::Aggregate => {
                heard.0.add("aggregate", *took);
                heard.1 += 1;
            }
            _ => {}
        }
    };
    let start = Instant::now();
    let proof = pipeline.prove(&witnesses, jobs, Box::new(observer))?;
    let took = start.elapsed();
    let mut proving = proving.lock().unwrap_or_else(|error| error.into_inner());
    let (parts, aggregations) = std::mem::take(&mut *proving);
    let stark_seconds = parts.seconds("traces") + parts.seconds("stark");
    stages.0.extend(parts.0);
    stages.add("all of the proving", took);

    writeln!(report, "\n## From a batch to a validity proof\n")?;
    writeln!(
        report,
        "{source}: {} transactions, {} of them valid, profile {}, {jobs} job(s) at once.\n",
        batch.transactions.len(),
        outcome.accepted.len(),
        profile.name()
    )?;
    shapes_line(report, &witnesses, aggregations)?;
    stage_table(report, &stages)?;
    rates(report, &stages, &witnesses, aggregations)?;
    proof_lines(report, &pipeline, &proof)?;
    let mut permutations = 0;
    for witness in &witnesses {
        permutations += witness.usage()?.permutations();
    }
    Ok(Run {
        permutations,
        stark_seconds,
    })
}

/// The batch to prove, and what it is called.
fn input(profile: Profile) -> anyhow::Result<(String, Workload)> {
    let named = std::env::var_os("SHARDFOLD_REPORT_BATCH");
    // Cargo starts benchmarks in the folder of their crate.
    let path = root().join(
        named
            .as_deref()
            .unwrap_or("examples/block-12459406/batch.bin".as_ref()),
    );
    if named.is_some() || path.exists() {
        return Ok((path.display().to_string(), read(&path)?));
    }
    let shapes = profile.shapes();
    let shape = shapes
        .get(1)
        .or(shapes.first())
        .context("a profile has shapes")?;
    let workload = workload::mixed(2 * shape.transactions());
    Ok(("A generated batch of all kinds".to_owned(), workload))
}

fn read(path: &Path) -> anyhow::Result<Workload> {
    let genesis = path.with_file_name("genesis.bin");
    let failed = |path: &Path| format!("cannot read {}", path.display());
    let batch = files::read(path).with_context(|| failed(path))?;
    let file: StateFile = files::read(&genesis).with_context(|| failed(&genesis))?;
    let state = State::try_from(&file).with_context(|| failed(&genesis))?;
    Ok(Workload { state, batch })
}

fn jobs() -> anyhow::Result<usize> {
    let Ok(jobs) = std::env::var("SHARDFOLD_REPORT_JOBS") else {
        return Ok(1);
    };
    let failed = || format!("SHARDFOLD_REPORT_JOBS is {jobs:?}, expected a number");
    jobs.parse().with_context(failed)
}

fn shapes_line(
    report: &mut String,
    witnesses: &[ShardWitness],
    aggregations: usize,
) -> std::fmt::Result {
    let mut counts = BTreeMap::<usize, usize>::new();
    for witness in witnesses {
        *counts.entry(witness.shape.transactions()).or_default() += 1;
    }
    let shards: Vec<String> = counts
        .iter()
        .map(|(transactions, count)| format!("{count} of up to {transactions} transactions"))
        .collect();
    writeln!(
        report,
        "Shards: {}; {aggregations} fold(s).\n",
        shards.join(", ")
    )
}

fn stage_table(report: &mut String, stages: &Stages) -> std::fmt::Result {
    writeln!(report, "| stage | seconds | peak memory so far, GiB |")?;
    writeln!(report, "| --- | ---: | ---: |")?;
    for Stage {
        name,
        seconds,
        peak,
    } in &stages.0
    {
        writeln!(report, "| {name} | {seconds:.3} | {} |", gibibytes(*peak))?;
    }
    writeln!(report)
}

fn rates(
    report: &mut String,
    stages: &Stages,
    witnesses: &[ShardWitness],
    aggregations: usize,
) -> std::fmt::Result {
    let transactions = workload::transactions(witnesses) as f64;
    let shards = witnesses.len() as f64;
    let proving = stages.seconds("all of the proving");
    let before = ["read", "execute", "cut into shards"].map(|name| stages.seconds(name));
    let whole = before.iter().sum::<f64>() + proving;
    let rows = [
        (
            "executed transactions per second",
            transactions / stages.seconds("execute"),
        ),
        (
            "transactions per second, STARKs alone",
            transactions / stages.seconds("stark"),
        ),
        ("transactions per second, proving", transactions / proving),
        (
            "transactions per second, files to proof without loading circuits",
            transactions / whole,
        ),
        (
            "shard proofs per second, in plonky2",
            shards / stages.seconds("shard_circuit"),
        ),
        (
            "aggregations per second",
            aggregations as f64 / stages.seconds("aggregate"),
        ),
        (
            "proofs per second, shards and aggregations, proving",
            (shards + aggregations as f64) / proving,
        ),
    ];
    writeln!(report, "| rate | |\n| --- | ---: |")?;
    for (name, rate) in rows {
        writeln!(report, "| {name} | {rate:.4} |")?;
    }
    writeln!(report)
}

fn proof_lines(
    report: &mut String,
    pipeline: &Pipeline,
    proof: &ValidityProof,
) -> anyhow::Result<()> {
    let key = pipeline.engine.key();
    let bytes = proof.to_bytes().len();
    let mut times = [Duration::ZERO; 11];
    for time in &mut times {
        let start = Instant::now();
        verify(key, proof)?;
        *time = start.elapsed();
    }
    times.sort();
    let milliseconds = times[times.len() / 2].as_secs_f64() * 1_000.0;
    writeln!(
        report,
        "The validity proof has {bytes} bytes and is verified in {milliseconds:.2} ms (the median of {}).",
        times.len()
    )?;
    Ok(())
}
