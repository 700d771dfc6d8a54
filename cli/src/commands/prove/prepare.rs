//! Until a batch can be proven: executed, cut into shards, and part of the database's ledger
//! if there is one.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use shardfold_executor::outcome::Outcome;
use shardfold_executor::{parallel, shards};
use shardfold_protocol::head::Head;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_store::{Applied, Counts};

use super::witnesses::WitnessFiles;
use crate::args::RunArgs;
use crate::commands::input::{self, Input, Ready};
use crate::commands::{Stages, counts};

/// A batch on the command line.
pub struct Plan {
    /// The batch file.
    pub batch: PathBuf,
    /// Where its proof goes.
    pub output: PathBuf,
    /// Where witnesses and proofs of parts are kept until then.
    pub work_dir: PathBuf,
}

/// A batch that can be proven.
pub struct Task {
    /// Its files.
    pub plan: Plan,
    /// What became of its transactions.
    pub counts: Counts,
    /// The head before it.
    pub before: Head,
    /// The head after it.
    pub after: Head,
    /// Its shards; `None` if it was applied before and they are not there.
    pub shards: Option<Vec<ShardWitness>>,
    /// The shards on disk, if a database has moved on.
    pub files: Option<WitnessFiles>,
    /// How it came to be.
    pub origin: Origin,
    /// How long it took, by stage.
    pub stages: Stages,
    /// How long it took.
    pub seconds: f64,
}

/// What was done to make a task.
pub enum Origin {
    /// The batch was executed.
    Executed(Outcome),
    /// The batch was part of the database's ledger already.
    Applied(Box<Applied>),
}

/// Makes a batch ready to be proven.
pub fn prepare(plan: Plan, args: &RunArgs, shapes: &[Shape]) -> Result<Task> {
    let start = Instant::now();
    let mut stages = Stages::new();
    let mut task = match input::read(&plan.batch, args, &mut stages)? {
        Input::Ready(ready) => execute(plan, *ready, shapes, &mut stages)?,
        Input::Applied(applied) => resume(plan, applied)?,
    };
    task.stages = stages;
    task.seconds = start.elapsed().as_secs_f64();
    Ok(task)
}

fn execute(plan: Plan, ready: Ready, shapes: &[Shape], stages: &mut Stages) -> Result<Task> {
    let Ready {
        batch,
        mut state,
        database,
    } = ready;
    let before = Instant::now();
    let outcome = parallel::execute(&state, &batch)
        .with_context(|| format!("{} cannot run on this state", plan.batch.display()))?;
    ensure!(
        !outcome.accepted.is_empty(),
        "{} has no valid transaction, so there is nothing to prove",
        plan.batch.display()
    );
    stages.insert("execute", before.elapsed().as_secs_f64());

    let before = Instant::now();
    let shards = shards::cut(&mut state, &batch, &outcome, shapes)?;
    stages.insert("witnesses", before.elapsed().as_secs_f64());

    let mut files = None;
    if let Some(mut database) = database {
        let before = Instant::now();
        let kept = WitnessFiles::new(&plan.work_dir, database.digest());
        kept.save(&shards)?;
        database.apply(&batch, &outcome, &state)?;
        files = Some(kept);
        stages.insert("apply", before.elapsed().as_secs_f64());
    }
    Ok(Task {
        counts: counts(&outcome),
        before: batch.before,
        after: *state.head(),
        shards: Some(shards),
        files,
        origin: Origin::Executed(outcome),
        plan,
        stages: Stages::new(),
        seconds: 0.0,
    })
}

/// Goes on where an earlier run was interrupted after the database had moved on.
fn resume(plan: Plan, applied: Box<Applied>) -> Result<Task> {
    let files = WitnessFiles::new(&plan.work_dir, applied.batch);
    Ok(Task {
        counts: applied.counts,
        before: applied.before,
        after: applied.after,
        shards: files.load(&applied)?,
        files: Some(files),
        origin: Origin::Applied(applied),
        plan,
        stages: Stages::new(),
        seconds: 0.0,
    })
}
