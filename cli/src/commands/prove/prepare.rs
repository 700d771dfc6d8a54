//! Until a batch can be proven: executed, cut into shards that are stored as jobs, and part of
//! the database's ledger if there is one.

use std::time::Instant;

use anyhow::{Context, Result};
use shardfold_executor::outcome::Outcome;
use shardfold_fleet::embedded::{Embedded, Notice};
use shardfold_fleet::submit::{Executed, MAX_FAILURES, Stored};
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::shape::Shape;
use shardfold_store::Applied;

use super::plan::Plan;
use crate::args::RunArgs;
use crate::commands::Stages;
use crate::commands::cost::breakdown::Breakdown;
use crate::commands::input::{self, Input, Ready};
use crate::commands::session::Session;
use crate::commands::settlement::{Changes, read_changes};
use crate::commands::sharded::{ShardedBatch, check_accepted};
use crate::exit::cannot;

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
        /// What its shards take.
        breakdown: Breakdown,
        /// Its jobs.
        jobs: Jobs,
        /// What it changes, if that is asked for.
        changes: Option<Changes>,
    },
    /// The batch was part of the database's ledger already.
    Applied {
        /// Its entry in the history.
        applied: Applied,
        /// Its jobs, if an earlier run has left them.
        jobs: Option<Jobs>,
        /// What it changes, if that is asked for.
        changes: Option<Changes>,
    },
}

/// The jobs of a batch in its work folder.
pub struct Jobs {
    /// The fleet in the folder.
    pub fleet: Embedded,
    /// The batch's id there.
    pub batch: String,
}

/// Makes a batch ready to be proven.
pub fn prepare(plan: Plan, args: &RunArgs, shapes: &[Shape], session: &Session) -> Result<Task> {
    let start = Instant::now();
    let mut stages = Stages::new();
    let work = match input::read(&plan.batch, args, &mut stages)? {
        Input::Ready(ready) => execute(&plan, *ready, shapes, session, &mut stages)?,
        Input::Applied(applied) => resume(&plan, *applied, session)?,
    };
    Ok(Task {
        plan,
        work,
        stages,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn execute(
    plan: &Plan,
    ready: Ready,
    shapes: &[Shape],
    session: &Session,
    stages: &mut Stages,
) -> Result<Work> {
    let mut cut = ShardedBatch::new(&plan.batch, ready, shapes, stages)?;
    let before = Instant::now();
    let engine = session.engine()?;
    let circuits = engine.key().id();
    stages.insert("circuits", before.elapsed().as_secs_f64());
    let breakdown = Breakdown::new(engine.circuits(), &cut.shards)?;

    let before = Instant::now();
    let changes = changes(plan, &cut)?;
    let executed = Executed {
        profile: session.profile(),
        circuits,
        source: &cut.digest.to_string(),
        label: &plan.batch.to_string_lossy(),
        shards: &cut.shards,
        data: changes.as_ref().and_then(Changes::data),
        max_failures: MAX_FAILURES,
    };
    let fleet = open(plan, session)?;
    let jobs = Jobs {
        batch: session.wait(fleet.submit(&executed))?,
        fleet,
    };
    stages.insert("submit", before.elapsed().as_secs_f64());
    cut.apply(stages)?;
    Ok(Work::Executed {
        after: *cut.after(),
        outcome: cut.outcome,
        breakdown,
        jobs,
        changes,
    })
}

/// What the batch changes, if it is asked for: on disk before the database moves on.
fn changes(plan: &Plan, cut: &ShardedBatch) -> Result<Option<Changes>> {
    let Some(output) = &plan.changes else {
        return Ok(None);
    };
    let changes = Changes::of(&cut.shards, plan.settlement.is_some(), plan.data)?;
    changes.write(output)?;
    Ok(Some(changes))
}

/// The changes of a batch, if they are asked for, which an earlier run has written; or else they are made of
/// the witnesses that it has left.
fn earlier_changes(
    plan: &Plan,
    applied: &Applied,
    session: &Session,
    fleet: Option<&Embedded>,
) -> Result<Option<Changes>> {
    let Some(output) = &plan.changes else {
        return Ok(None);
    };
    let heads = |statement: &Statement| (statement.before, statement.after);
    let expected = (applied.before, applied.after);
    let settles = plan.settlement.is_some();
    let written = output.file().map(read_changes);
    if let Some(Ok(found)) = written
        && heads(&found.statement) == expected
    {
        return Changes::new(found, settles, plan.data).map(Some);
    }
    let shards = match fleet {
        Some(fleet) => session.wait(fleet.shards(&applied.before, &applied.after))?,
        None => None,
    };
    let Some(shards) = shards else {
        return Err(cannot(format!(
            "{} is part of the state's ledger, but its changes are not in {output}, nor its witnesses in {}: \
             name the files of the run that applied it, or make the changes from a snapshot of the state \
             before it, with `shardfold execute --changes` and --state FILE",
            plan.batch.display(),
            plan.work_dir.display()
        )));
    };
    let changes = Changes::of(&shards, settles, plan.data)?;
    changes.write(output)?;
    Ok(Some(changes))
}

/// Goes on where an earlier run was interrupted after the database had moved on.
fn resume(plan: &Plan, applied: Applied, session: &Session) -> Result<Work> {
    check_accepted(&plan.batch, applied.counts)?;
    let fleet = match Embedded::is_in(&plan.work_dir) {
        true => Some(open(plan, session)?),
        false => None,
    };
    let changes = earlier_changes(plan, &applied, session, fleet.as_ref())?;
    let mut jobs = None;
    if let Some(fleet) = fleet {
        let circuits = session.engine()?.key().id();
        let stored = Stored {
            profile: session.profile(),
            circuits,
            source: &applied.batch.to_string(),
            label: &plan.batch.to_string_lossy(),
            before: &applied.before,
            after: &applied.after,
            data: changes.as_ref().and_then(Changes::data),
        };
        jobs = match session.wait(fleet.stored(&stored))? {
            Some(batch) => Some(Jobs { fleet, batch }),
            None => {
                session.wait(fleet.close())?;
                None
            }
        };
    }
    Ok(Work::Applied {
        applied,
        jobs,
        changes,
    })
}

fn open(plan: &Plan, session: &Session) -> Result<Embedded> {
    let folder = plan.work_dir.display();
    let notice = |notice: Notice<'_>| match notice {
        Notice::Busy => session.printer().line(format_args!(
            "waiting for the other run in the work folder {folder}"
        )),
        Notice::Queue(error) => session.printer().line(format_args!(
            "the queue in the work folder {folder} is not used: {error}"
        )),
    };
    session
        .wait(Embedded::open(&plan.work_dir, notice))
        .with_context(|| format!("cannot use the work folder {folder}"))
}
