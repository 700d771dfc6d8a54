//! `execute`: run a batch without proving it.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use shardfold_executor::outcome::Receipt;
use shardfold_executor::{parallel, sequential};
use shardfold_protocol::files;
use shardfold_protocol::text::integer::Integer;

use super::input::{self, Input, Ready};
use super::{Stages, Summary, counts, say_rejections, set_threads};
use crate::args::ExecuteArgs;
use crate::output::{Say, write_file};

/// Runs the command.
pub fn run(args: &ExecuteArgs) -> Result<()> {
    let say = Say::new(args.run.json);
    set_threads(args.run.threads)?;
    let start = Instant::now();
    let mut stages = Stages::new();
    for output in [&args.receipts, &args.state_out].into_iter().flatten() {
        input::check_output(output, args.run.state.as_deref())?;
    }
    match input::read(&args.batch, &args.run, &mut stages)? {
        Input::Ready(ready) => execute(args, *ready, start, stages, say),
        Input::Applied(_) if args.receipts.is_some() || args.state_out.is_some() => bail!(
            "{} was already applied: its receipts and the state after it cannot be made again",
            args.batch.display()
        ),
        Input::Applied(applied) => {
            input::say_applied(&args.batch, &applied, say);
            let seconds = start.elapsed().as_secs_f64();
            let summary = Summary::of_applied(&applied, seconds, stages);
            say.line(format_args!("state root {}", summary.state_root));
            say.object(&summary)
        }
    }
}

fn execute(
    args: &ExecuteArgs,
    ready: Ready,
    start: Instant,
    mut stages: Stages,
    say: Say,
) -> Result<()> {
    let Ready {
        batch,
        mut state,
        database,
    } = ready;
    ensure!(
        database.is_none() || args.state_out.is_none(),
        "--state-out takes no part of a state database: use `shardfold state export`"
    );
    let before = Instant::now();
    let outcome = if args.sequential {
        sequential::execute(&state, &batch)
    } else {
        parallel::execute(&state, &batch)
    }
    .with_context(|| format!("{} cannot run on this state", args.batch.display()))?;
    stages.insert("execute", before.elapsed().as_secs_f64());

    let before = Instant::now();
    outcome.commit(&mut state);
    stages.insert("state_root", before.elapsed().as_secs_f64());

    // All that is made of a batch is on disk before a database moves on: it can be made again
    // until then, and not afterwards.
    if let Some(path) = &args.receipts {
        let lines: Vec<ReceiptLine> = outcome.receipts.iter().map(ReceiptLine::new).collect();
        write_file(path, &serde_json::to_vec_pretty(&lines)?)?;
    }
    if let Some(path) = &args.state_out {
        write_file(path, &files::to_binary(&state.to_file())?)?;
    }
    if let Some(mut database) = database {
        let before = Instant::now();
        database.apply(&batch, &outcome, &state)?;
        stages.insert("apply", before.elapsed().as_secs_f64());
    }

    let seconds = start.elapsed().as_secs_f64();
    let summary = Summary::new(counts(&outcome), state.head(), seconds, stages);
    say_rejections(&outcome, say);
    summary.say(say);
    say.line(format_args!("state root {}", summary.state_root));
    say.object(&summary)
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
