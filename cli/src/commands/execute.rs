//! `execute`: run a batch without proving it.

use std::path::PathBuf;
use std::time::Instant;

use crate::contracts;
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_executor::outcome::Receipt;
use shardfold_executor::{parallel, sequential, shards};
use shardfold_protocol::files;
use shardfold_protocol::text::integer::Integer;

use super::input::{self, Input, Ready};
use super::{Stages, Summary, counts, print_rejections, shapes};
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
        Input::Applied(_) if args.receipts.is_some() || args.state_out.is_some() => {
            Err(cannot(format!(
                "{} was already applied: its receipts and the state after it cannot be made again",
                args.batch.display()
            )))
        }
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
}

impl Outputs {
    /// Looked at before the work.
    fn new(args: &ExecuteArgs) -> Result<(Self, Printer)> {
        let paths = input::paths(&args.batch, args.run.state.as_deref());
        // The state after the batch is about as large as the one before it in the same form.
        let state_bytes = paths.last().map_or(0, |state| input::size(state) / 8);
        let mut places = Places::new(paths);
        let mut place = |path: &Option<PathBuf>, bytes| {
            let path = path.as_deref();
            path.map(|path| places.output(path, bytes)).transpose()
        };
        let outputs = Self {
            receipts: place(&args.receipts, 0)?,
            state: place(&args.state_out, state_bytes)?,
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

    let before = Instant::now();
    shards::apply(contracts(), &mut state, &batch, &outcome, &shapes)?;
    stages.insert("state_root", before.elapsed().as_secs_f64());

    // All that is made of a batch is on disk before a database moves on: it can be made again
    // until then, and not afterwards.
    if let Some(output) = &outputs.receipts {
        let lines: Vec<ReceiptLine> = outcome.receipts.iter().map(ReceiptLine::new).collect();
        output.write(&serde_json::to_vec_pretty(&lines)?)?;
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

/// A receipt as it stands in a file.
#[derive(Serialize)]
struct ReceiptLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
}

impl ReceiptLine {
    fn new(receipt: &Receipt) -> Self {
        match receipt {
            Receipt::Accepted { place } => Self {
                place: Some(Integer(*place)),
                rejected: None,
            },
            Receipt::Rejected(reason) => Self {
                place: None,
                rejected: Some(reason.to_string()),
            },
        }
    }
}
