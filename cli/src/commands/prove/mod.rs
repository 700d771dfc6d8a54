//! `prove`: one validity proof for each batch.

mod meter;
mod plan;
mod prepare;
mod prover;

use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use shardfold_recursion::profile::Profile;

use super::session::Session;
use super::{profile, shapes};
use crate::args::ProveArgs;
use crate::output::{Places, warn};
use plan::plans;
use prepare::prepare;
use prover::Prover;

/// Runs the command.
pub fn run(args: &ProveArgs) -> Result<()> {
    let profile = profile(args.cut.profile, args.cut.unsound)?;
    if profile == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let mut places = Places::new(plan::inputs(args));
    let plans = plans(args, &mut places)?;
    let shapes = shapes(&args.cut)?;
    let session = Session::new(profile, &args.cache, places.printer(args.run.json)?)?;
    let prover = Prover::new(&session, args.memory, args.price.price);
    thread::scope(|scope| {
        let session = &session;
        // Nothing is buffered: one batch is executed ahead of the one that is proven.
        let (ready, tasks) = mpsc::sync_channel(0);
        let ahead = move || {
            // The circuits are loaded beside the execution of the first batch; what is wrong with
            // them is said where they are used.
            scope.spawn(|| session.engine().map(drop));
            for plan in plans {
                let task = prepare(plan, &args.run, &shapes, session);
                let is_last = task.is_err();
                if ready.send(task).is_err() || is_last {
                    return;
                }
            }
        };
        thread::Builder::new()
            .spawn_scoped(scope, ahead)
            .context("cannot start a thread")?;
        tasks.into_iter().try_for_each(|task| prover.finish(task?))
    })
}
