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

/// A batch that was read, and what there is to prove.
pub struct Task {
    /// Its files.
    pub plan: Plan,
    /// What there is to prove.
    pub work: Work,
    /// How long it took, by stage.
    pub stages: Stages,
    /// How long it took.
    pub seconds: f64,
}

/// What there is to prove.
pub enum Work {
    /// The batch was executed.
    Executed {
        /// What came of it.
        outcome: Outcome,
        /// The head after it.
        after: Head,
        /// Its shards.
        shards: Vec<ShardWitness>,
        /// The shards on disk, if a database has moved on.
        files: Option<WitnessFiles>,
    },
    /// The batch was part of the database's ledger already.
    Applied {
        /// Its entry in the history.
        applied: Applied,
        /// Its shards, if an earlier run has left them.
        shards: Option<Vec<ShardWitness>>,
        /// The shards on disk.
        files: WitnessFiles,
    },
}

/// Makes a batch ready to be proven.
pub fn prepare(plan: Plan, args: &RunArgs, shapes: &[Shape]) -> Result<Task> {
    let start = Instant::now();
    let mut stages = Stages::new();
    let work = match input::read(&plan.batch, args, &mut stages)? {
        Input::Ready(ready) => execute(&plan, *ready, shapes, &mut stages)?,
        Input::Applied(applied) => resume(&plan, *applied)?,
    };
    Ok(Task {
        plan,
        work,
        stages,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn execute(plan: &Plan, ready: Ready, shapes: &[Shape], stages: &mut Stages) -> Result<Work> {
    let Ready {
        batch,
        mut state,
        database,
    } = ready;
    let before = Instant::now();
    let outcome = parallel::execute(&state, &batch)
        .with_context(|| format!("{} cannot run on this state", plan.batch.display()))?;
    check_accepted(plan, counts(&outcome))?;
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
    Ok(Work::Executed {
        outcome,
        after: *state.head(),
        shards,
        files,
    })
}

/// Goes on where an earlier run was interrupted after the database had moved on.
fn resume(plan: &Plan, applied: Applied) -> Result<Work> {
    check_accepted(plan, applied.counts)?;
    let files = WitnessFiles::new(&plan.work_dir, applied.batch);
    Ok(Work::Applied {
        shards: files.load(&applied)?,
        applied,
        files,
    })
}

fn check_accepted(plan: &Plan, counts: Counts) -> Result<()> {
    ensure!(
        counts.accepted > 0,
        "{} has no valid transaction, so there is nothing to prove",
        plan.batch.display()
    );
    Ok(())
}
