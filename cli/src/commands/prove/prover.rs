//! Proves batch after batch with the same circuits.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::{Aggregator, ValidityProof, VerificationKey, verify};
use shardfold_circuits::profile::Profile;
use shardfold_circuits::shard::CircuitSet;
use shardfold_fleet::local::{self, Event, Options};
use shardfold_protocol::witness::ShardWitness;
use shardfold_store::Applied;

use super::prepare::{Plan, Task, Work};
use super::witnesses::WitnessFiles;
use crate::args::ProveArgs;
use crate::commands::verify::built_in_keys;
use crate::commands::{Stages, Summary, cache_folder, counts, input, say_rejections};
use crate::output::{Say, read_file, warn, write_file};
use crate::progress::{Progress, circuit_listener};

/// What batches are proven with.
pub struct Prover {
    profile: Profile,
    circuits: CircuitSet,
    aggregator: OnceCell<Aggregator>,
    memory: Option<u64>,
    say: Say,
}

impl Prover {
    /// For the profile and within the memory that are asked for.
    pub fn new(profile: Profile, args: &ProveArgs) -> Result<Self> {
        let say = Say::new(args.run.json);
        let cache = cache_folder(&args.cache)?;
        Ok(Self {
            profile,
            circuits: CircuitSet::new(profile, &cache).with_listener(circuit_listener(say)),
            aggregator: OnceCell::new(),
            memory: args.memory,
            say,
        })
    }

    /// Proves a batch unless its proof is there already, and removes what was kept until then.
    pub fn finish(&self, task: Task) -> Result<()> {
        let start = Instant::now();
        let Task {
            plan,
            work,
            mut stages,
            seconds,
        } = task;
        let elapsed = || seconds + start.elapsed().as_secs_f64();
        let (bytes, summary) = match work {
            Work::Executed {
                outcome,
                after,
                shards,
                files,
            } => {
                say_rejections(&outcome, self.say);
                let bytes = self.prove(&plan, &shards, files.as_ref(), &mut stages)?;
                let counts = counts(&outcome);
                (bytes, Summary::new(counts, &after, elapsed(), stages))
            }
            Work::Applied {
                applied,
                shards,
                files,
            } => {
                input::say_applied(&plan.batch, &applied, self.say);
                let proven = self.find_proof(&plan.output, &applied);
                let bytes = match (&shards, &proven) {
                    (Some(shards), Err(_)) => {
                        self.prove(&plan, shards, Some(&files), &mut stages)?
                    }
                    _ => {
                        let bytes = proven.with_context(|| no_witnesses(&plan))?;
                        let output = plan.output.display();
                        self.say.line(format_args!("{output} proves it"));
                        clean_up(&plan, shards.as_deref().unwrap_or_default(), Some(&files))?;
                        bytes
                    }
                };
                (bytes, Summary::of_applied(&applied, elapsed(), stages))
            }
        };
        self.report(&plan, bytes, &summary)
    }

    fn report(&self, plan: &Plan, bytes: usize, summary: &Summary) -> Result<()> {
        summary.say(self.say);
        self.say
            .line(format_args!("state root {}", summary.state_root));
        self.say.line(format_args!(
            "{}: {bytes} bytes, profile {}, checked",
            plan.output.display(),
            self.profile.name()
        ));
        self.say.object(&Report {
            batch: plan.batch.display().to_string(),
            proof: plan.output.display().to_string(),
            summary,
        })
    }

    /// Folds proofs; loads what it needs when it is first asked for.
    fn aggregator(&self) -> Result<&Aggregator> {
        if let Some(aggregator) = self.aggregator.get() {
            return Ok(aggregator);
        }
        let aggregator = Aggregator::new(&self.profile.plonk(), self.circuits.fold()?)?;
        compare_key(aggregator.verification_key())?;
        Ok(self.aggregator.get_or_init(|| aggregator))
    }

    /// Proves shards, writes the proof, and removes what was kept until then. Gives the proof's
    /// length.
    fn prove(
        &self,
        plan: &Plan,
        shards: &[ShardWitness],
        files: Option<&WitnessFiles>,
        stages: &mut Stages,
    ) -> Result<usize> {
        let before = Instant::now();
        let aggregator = self.aggregator()?;
        for shard in shards {
            self.circuits.shard(&shard.shape)?;
        }
        stages.insert("circuits", before.elapsed().as_secs_f64());

        let options = Options {
            jobs: jobs(shards, self.memory),
            work_dir: plan.work_dir.clone(),
        };
        let progress = Progress::new(shards, self.say);
        let times = Mutex::new(stages);
        let observer = |event: Event| {
            count_time(&event, &times);
            progress.event(&event);
        };
        let proof = local::prove_batch(&self.circuits, aggregator, shards, &options, &observer)?;
        progress.finish();
        let bytes = proof.to_bytes();
        write_file(&plan.output, &bytes)?;
        clean_up(plan, shards, files)?;
        Ok(bytes.len())
    }

    /// The length of an applied batch's proof, if it is there already.
    fn find_proof(&self, output: &Path, applied: &Applied) -> Result<usize> {
        ensure!(output.is_file(), "found no proof {}", output.display());
        let bytes = read_file(output, ValidityProof::MAX_BYTES)?;
        let proof = ValidityProof::from_bytes(&bytes)
            .with_context(|| format!("cannot use the proof {}", output.display()))?;
        let key = self.aggregator()?.verification_key();
        let statement =
            verify(key, &proof).with_context(|| format!("{} does not verify", output.display()))?;
        ensure!(
            (statement.before, statement.after) == (applied.before, applied.after),
            "{} proves another batch",
            output.display()
        );
        Ok(bytes.len())
    }
}

/// What is printed of each batch for machines.
#[derive(Serialize)]
struct Report<'a> {
    batch: String,
    proof: String,
    #[serde(flatten)]
    summary: &'a Summary,
}

/// Removes what was kept until the proof was on disk: the witnesses last, for they say which
/// proofs of parts there are. A run that is killed in here is done by the next one.
fn clean_up(plan: &Plan, shards: &[ShardWitness], files: Option<&WitnessFiles>) -> Result<()> {
    local::clean_up(&plan.work_dir, shards)?;
    files.map_or(Ok(()), WitnessFiles::remove)
}

fn no_witnesses(plan: &Plan) -> String {
    format!(
        "{} is part of the state's ledger, but its witnesses are not in {}: name the --work-dir \
         or the -o of the run that applied it, or prove it from a snapshot of the state before \
         it, with --state FILE",
        plan.batch.display(),
        plan.work_dir.display()
    )
}

/// Says so if the circuits that this build makes are not those of its built-in key: whoever
/// changes a circuit writes the keys anew with `shardfold key`.
fn compare_key(key: &VerificationKey) -> Result<()> {
    let built_in = built_in_keys()?;
    let same_profile = |known: &&VerificationKey| known.profile() == key.profile();
    if built_in
        .iter()
        .find(same_profile)
        .is_some_and(|known| known != key)
    {
        warn(format_args!(
            "warning: the circuits' key is {}, not the built-in one; verify with the key that \
             `shardfold key` writes",
            hex::encode(key.id())
        ));
    }
    Ok(())
}

/// How many jobs fit into the memory at once, at most one for each core.
fn jobs(witnesses: &[ShardWitness], memory: Option<u64>) -> usize {
    let largest = witnesses
        .iter()
        .map(|witness| local::job_memory(&witness.shape))
        .max()
        .unwrap_or(1);
    let memory = memory.or_else(available_memory).unwrap_or(largest);
    let fit = usize::try_from(memory / largest).unwrap_or(usize::MAX);
    fit.clamp(1, rayon::current_num_threads())
}

/// What the machine can give without swapping, in bytes.
fn available_memory() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn count_time(event: &Event, stages: &Mutex<&mut Stages>) {
    let (name, took) = match event {
        Event::ShardStage { stage, took, .. } => (stage.name(), took),
        Event::FoldDone { took, .. } => ("fold", took),
        _ => return,
    };
    let mut stages = stages.lock().unwrap_or_else(|error| error.into_inner());
    *stages.entry(name).or_default() += took.as_secs_f64();
}
