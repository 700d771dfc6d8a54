//! `prove`: one validity proof for a batch.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use shardfold_aggregator::{Aggregator, VerificationKey};
use shardfold_circuits::profile::Profile;
use shardfold_circuits::shard::CircuitSet;
use shardfold_executor::{parallel, shards};
use shardfold_fleet::local::{self, Event, Options};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;

use super::{
    Input, Stages, Summary, cache_folder, hex as digest_hex, partial_folder, profile, read_input,
    say_rejections,
};
use crate::args::{ProveArgs, ShapeChoice};
use crate::commands::verify::built_in_keys;
use crate::output::{Say, folder_of, is_special, warn, write_file};
use crate::progress::{Progress, circuit_listener};

/// Runs the command.
pub fn run(args: &ProveArgs) -> Result<()> {
    let say = Say::new(args.batch.json);
    let profile = profile(args.profile);
    if profile == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    check_output(&args.output)?;
    let start = Instant::now();
    let mut stages = Stages::new();
    let Input { mut state, batch } = read_input(&args.batch, &mut stages)?;

    let before = Instant::now();
    let outcome = parallel::execute(&state, &batch)
        .with_context(|| format!("{} cannot run on this state", args.batch.batch.display()))?;
    say_rejections(&outcome, say);
    ensure!(
        !outcome.accepted.is_empty(),
        "{} has no valid transaction, so there is nothing to prove",
        args.batch.batch.display()
    );
    stages.insert("execute", before.elapsed().as_secs_f64());

    let before = Instant::now();
    let witnesses = shards::cut(&mut state, &batch, &outcome, &shapes(profile, args.shape))?;
    stages.insert("witnesses", before.elapsed().as_secs_f64());

    let before = Instant::now();
    let circuits =
        CircuitSet::new(profile, &cache_folder(&args.cache)?).with_listener(circuit_listener(say));
    let aggregator = Aggregator::new(&profile.plonk(), circuits.fold()?)?;
    compare_key(aggregator.verification_key())?;
    for witness in &witnesses {
        circuits.shard(&witness.shape)?;
    }
    stages.insert("circuits", before.elapsed().as_secs_f64());

    let options = Options {
        jobs: jobs(&witnesses, args.memory),
        work_dir: args
            .work_dir
            .clone()
            .unwrap_or_else(|| partial_folder(&args.output)),
    };
    let progress = Progress::new(&witnesses, say);
    let times = Mutex::new(&mut stages);
    let observer = |event: Event| {
        count_time(&event, &times);
        progress.event(&event);
    };
    let proof = local::prove_batch(&circuits, &aggregator, &witnesses, &options, &observer)?;
    progress.finish();

    let bytes = proof.to_bytes();
    write_file(&args.output, &bytes)?;
    local::clean_up(&options, &witnesses)?;
    let summary = Summary::new(&outcome, state.head(), start, stages);
    summary.say(say);
    say.line(format_args!(
        "state root {}",
        digest_hex(&state.head().state_root)
    ));
    say.line(format_args!(
        "{}: {} bytes, profile {}, checked",
        args.output.display(),
        bytes.len(),
        profile.name()
    ));
    say.object(&summary)
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

/// Finds out now, not after minutes of proving, that the proof cannot be written.
fn check_output(output: &Path) -> Result<()> {
    let is_folder = output.is_dir() || output.to_string_lossy().ends_with(std::path::is_separator);
    ensure!(
        !is_folder,
        "{} is a folder, expected the name of a file",
        output.display()
    );
    if is_special(output) {
        return Ok(());
    }
    let folder = folder_of(output);
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    tempfile::NamedTempFile::new_in(folder)
        .map(drop)
        .with_context(|| format!("cannot write {}", output.display()))
}

/// The shapes that shards may have. A smaller one than asked for still takes what is left
/// over at the end.
fn shapes(profile: Profile, choice: ShapeChoice) -> Vec<Shape> {
    let all = profile.shapes();
    let most = match choice {
        ShapeChoice::Small => 1,
        ShapeChoice::Medium => 2,
        ShapeChoice::Auto | ShapeChoice::Large => all.len(),
    };
    all.iter().take(most).copied().collect()
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
