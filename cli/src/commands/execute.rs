//! `execute`: run a batch without proving it.

use std::path::PathBuf;
use std::time::Instant;

use crate::contracts;
use anyhow::{Context, Result};
use shardfold_executor::{parallel, sequential, shards};
use shardfold_protocol::files;

use super::input::{self, Input, Ready};
use super::settlement::{Changes, changes_output};
use super::sharded::check_accepted;
use super::{Stages, Summary, counts, print_rejections, receipts, shapes};
use crate::args::ExecuteArgs;
use crate::exit::{cannot, usage};
use crate::output::{Output, Places, Printer};

/// Runs the command.
pub fn run(args: &ExecuteArgs) -> Result<()> {
    let start = Instant::now();
    let mut stages = Stages::new();
    let (outputs, printer) = Outputs::new(args)?;
    match input::read(&args.batch, &args.run, &mut stages)? {
        Input::Ready(ready) => execute(args, *ready, &outputs, start, stages, printer),
        Input::Applied(_) if outputs.are_any() => Err(cannot(format!(
            "{} was already applied: its receipts, its changes and the state after it cannot be made \
                 again",
            args.batch.display()
        ))),
        Input::Applied(applied) => {
            input::print_applied(&args.batch, &applied, printer);
            let seconds = start.elapsed().as_secs_f64();
            let summary = Summary::of_applied(&applied, seconds, stages);
            printer.line(format_args!("state root {}", summary.state_root));
            printer.object(&summary)
        }
    }
}

/// Where the results go.
struct Outputs {
    receipts: Option<Output>,
    state: Option<Output>,
    changes: Option<Output>,
}

impl Outputs {
    const fn are_any(&self) -> bool {
        self.receipts.is_some() || self.state.is_some() || self.changes.is_some()
    }

    /// Looked at before the work.
    fn new(args: &ExecuteArgs) -> Result<(Self, Printer)> {
        let paths = input::paths(&args.batch, args.run.state.as_deref());
        // The state after the batch is about as large as the one before it in the same form.
        let state_bytes = paths.last().map_or(0, |state| input::size(state) / 8);
        let mut places = Places::new(paths);
        let changes = changes_output(&mut places, args.changes.as_deref(), 0)?;
        let mut place = |path: &Option<PathBuf>, bytes| {
            let path = path.as_deref();
            path.map(|path| places.output(path, bytes)).transpose()
        };
        let outputs = Self {
            receipts: place(&args.receipts, 0)?,
            state: place(&args.state_out, state_bytes)?,
            changes,
        };
        Ok((outputs, places.printer(args.run.json)?))
    }
}

fn execute(
    args: &ExecuteArgs,
    ready: Ready,
    outputs: &Outputs,
    start: Instant,
    mut stages: Stages,
    printer: Printer,
) -> Result<()> {
    let Ready {
        batch,
        mut state,
        database,
    } = ready;
    let shapes = shapes(&args.cut)?;
    if database.is_some() && outputs.state.is_some() {
        return Err(usage(
            "--state-out takes no part of a state database: use `shardfold state export`",
        ));
    }
    let before = Instant::now();
    let outcome = if args.sequential {
        sequential::execute(contracts(), &state, &batch)
    } else {
        parallel::execute(contracts(), &state, &batch)
    }
    .with_context(|| format!("{} cannot run on this state", args.batch.display()))?;
    stages.insert("execute", before.elapsed().as_secs_f64());

    // What each transaction gave is read off the state as it was before.
    let receipts = match &outputs.receipts {
        Some(_) => Some(receipts::to_json(&state, &batch, &outcome)?),
        None => None,
    };
    let before = Instant::now();
    let changes = match &outputs.changes {
        Some(_) => {
            let shards = shards::cut(contracts(), &mut state, &batch, &outcome, &shapes)?;
            check_accepted(&args.batch, counts(&outcome))?;
            Some(Changes::of(&shards, false, None)?)
        }
        None => {
            shards::apply(contracts(), &mut state, &batch, &outcome, &shapes)?;
            None
        }
    };
    stages.insert("state_root", before.elapsed().as_secs_f64());

    // All that is made of a batch is on disk before a database moves on: it can be made again
    // until then, and not afterwards.
    if let (Some(output), Some(receipts)) = (&outputs.receipts, &receipts) {
        output.write(receipts)?;
    }
    if let (Some(output), Some(changes)) = (&outputs.changes, &changes) {
        changes.write(output)?;
    }
    if let Some(output) = &outputs.state {
        output.write(&files::to_binary(&state.to_file())?)?;
    }
    if let Some(mut database) = database {
        let before = Instant::now();
        database.apply(&batch, &outcome, &state)?;
        stages.insert("apply", before.elapsed().as_secs_f64());
    }

    let seconds = start.elapsed().as_secs_f64();
    let summary = Summary::new(counts(&outcome), state.head(), seconds, stages);
    print_rejections(&outcome, printer);
    summary.print(printer);
    printer.line(format_args!("state root {}", summary.state_root));
    printer.object(&summary)
}
