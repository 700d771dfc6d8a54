//! Proves batch after batch with the same circuits.

use std::cell::OnceCell;
use std::fs;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use shardfold_aggregator::{Aggregator, ValidityProof, VerificationKey, verify};
use shardfold_circuits::profile::Profile;
use shardfold_circuits::shard::CircuitSet;
use shardfold_fleet::local::{self, Event, Options};
use shardfold_protocol::witness::ShardWitness;

use super::prepare::{Origin, Plan, Task};
use crate::args::ProveArgs;
use crate::commands::verify::built_in_keys;
use crate::commands::{Stages, Summary, cache_folder, input, say_rejections};
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

    /// Proves a batch, writes the proof, and removes what was kept until then.
    pub fn finish(&self, mut task: Task) -> Result<()> {
        match &task.origin {
            Origin::Executed(outcome) => say_rejections(outcome, self.say),
            Origin::Applied(applied) => input::say_applied(&task.plan.batch, applied, self.say),
        }
        let start = Instant::now();
        let mut stages = std::mem::take(&mut task.stages);
        let bytes = match &task.shards {
            Some(shards) => self.prove(&task, shards, &mut stages)?,
            None => self.check_proven(&task)?,
        };
        let seconds = task.seconds + start.elapsed().as_secs_f64();
        let mut summary = Summary::new(task.counts, &task.after, seconds, stages);
        summary.already_applied = matches!(task.origin, Origin::Applied(_));
        summary.say(self.say);
        self.say
            .line(format_args!("state root {}", summary.state_root));
        self.say.line(format_args!(
            "{}: {bytes} bytes, profile {}, checked",
            task.plan.output.display(),
            self.profile.name()
        ));
        self.say.object(&summary)
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

    /// Gives the length of the proof.
    fn prove(&self, task: &Task, shards: &[ShardWitness], stages: &mut Stages) -> Result<usize> {
        let before = Instant::now();
        let aggregator = self.aggregator()?;
        for shard in shards {
            self.circuits.shard(&shard.shape)?;
        }
        stages.insert("circuits", before.elapsed().as_secs_f64());

        let Plan {
            output, work_dir, ..
        } = &task.plan;
        let options = Options {
            jobs: jobs(shards, self.memory),
            work_dir: work_dir.clone(),
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
        write_file(output, &bytes)?;
        if let Some(files) = &task.files {
            files.remove()?;
        }
        local::clean_up(&options, shards)?;
        Ok(bytes.len())
    }

    /// Whether a batch without witnesses has its proof already. Gives the proof's length.
    fn check_proven(&self, task: &Task) -> Result<usize> {
        let Plan {
            batch,
            output,
            work_dir,
        } = &task.plan;
        ensure!(
            output.exists(),
            "{} is part of the state's ledger, but its witnesses are not in {}: prove it from a \
             snapshot of the state before it, with --state FILE",
            batch.display(),
            work_dir.display()
        );
        let bytes = read_file(output, ValidityProof::MAX_BYTES)?;
        let key = self.aggregator()?.verification_key();
        let proof = ValidityProof::from_bytes(&bytes)
            .with_context(|| format!("cannot use the proof {}", output.display()))?;
        let statement =
            verify(key, &proof).with_context(|| format!("{} does not verify", output.display()))?;
        ensure!(
            (statement.before, statement.after) == (task.before, task.after),
            "{} proves another batch, and the witnesses of {} are not in {}",
            output.display(),
            batch.display(),
            work_dir.display()
        );
        self.say
            .line(format_args!("{} proves it", output.display()));
        Ok(bytes.len())
    }
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
