//! `prove`: one validity proof for each batch.

mod prepare;
mod prover;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, ensure};
use shardfold_protocol::folder;
use shardfold_recursion::profile::Profile;

use super::means::Means;
use super::{input, partial_folder, profile, set_threads, shapes};
use crate::args::ProveArgs;
use crate::output::{Say, folder_of, is_special, warn};
use prepare::{Plan, prepare};
use prover::Prover;

/// Runs the command.
pub fn run(args: &ProveArgs) -> Result<()> {
    let profile = profile(args.profile, args.unsound)?;
    if profile == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let plans = plans(args)?;
    set_threads(args.run.threads)?;
    let shapes = shapes(profile, args.shape);
    let means = Means::new(profile, &args.cache, Say::new(args.run.json))?;
    let prover = Prover::new(&means, args.memory);
    thread::scope(|scope| {
        let means = &means;
        // Nothing is buffered: one batch is executed ahead of the one that is proven.
        let (ready, tasks) = mpsc::sync_channel(0);
        scope.spawn(move || {
            for plan in plans {
                let task = prepare(plan, &args.run, &shapes, means);
                let is_last = task.is_err();
                if ready.send(task).is_err() || is_last {
                    return;
                }
            }
        });
        tasks.into_iter().try_for_each(|task| prover.finish(task?))
    })
}

/// The batches in order, with a place for each proof that can be written.
fn plans(args: &ProveArgs) -> Result<Vec<Plan>> {
    let work_dir = |output: &Path| {
        let given = args.work_dir.clone();
        given.unwrap_or_else(|| partial_folder(output))
    };
    let plan = |batch: &PathBuf, output: PathBuf| Plan {
        batch: batch.clone(),
        work_dir: work_dir(&output),
        output,
    };
    let plans = if let [batch] = &args.batches[..] {
        vec![plan(batch, args.output.clone())]
    } else {
        let batches = args.batches.iter();
        let named = batches.map(|batch| Ok(plan(batch, proof_in(&args.output, batch)?)));
        named.collect::<Result<Vec<_>>>()?
    };
    if plans.len() > 1 {
        ensure!(
            args.run.state.as_ref().is_some_and(|state| state.is_dir()),
            "several batches need the folder of a state database as --state"
        );
    }
    let mut outputs = BTreeSet::new();
    for Plan { output, .. } in &plans {
        ensure!(
            outputs.insert(output),
            "two batches would have the proof {}",
            output.display()
        );
    }
    for Plan { output, .. } in &plans {
        input::check_output(output, args.run.state.as_deref())?;
        check_writable(output)?;
    }
    Ok(plans)
}

/// The name of a batch's proof in a folder.
fn proof_in(folder: &Path, batch: &Path) -> Result<PathBuf> {
    let name = batch.with_extension("proof");
    let name = name.file_name();
    let name = name.with_context(|| format!("{} is no file", batch.display()))?;
    Ok(folder.join(name))
}

/// Finds out now, not after minutes of proving, that the proof cannot be written.
fn check_writable(output: &Path) -> Result<()> {
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
    folder::create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    tempfile::NamedTempFile::new_in(folder)
        .map(drop)
        .with_context(|| format!("cannot write {}", output.display()))
}
