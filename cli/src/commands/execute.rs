//! `execute`: run a batch without proving it.

use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_executor::outcome::Receipt;
use shardfold_executor::{parallel, sequential};
use shardfold_protocol::files;

use super::{Input, Stages, Summary, hex, read_input, say_rejections};
use crate::args::ExecuteArgs;
use crate::output::{Say, write_file};

/// Runs the command.
pub fn run(args: &ExecuteArgs) -> Result<()> {
    let say = Say::new(args.batch.json);
    let start = Instant::now();
    let mut stages = Stages::new();
    let Input { mut state, batch } = read_input(&args.batch, &mut stages)?;

    let before = Instant::now();
    let outcome = if args.sequential {
        sequential::execute(&state, &batch)
    } else {
        parallel::execute(&state, &batch)
    }
    .with_context(|| format!("{} cannot run on this state", args.batch.batch.display()))?;
    stages.insert("execute", before.elapsed().as_secs_f64());

    let before = Instant::now();
    outcome.commit(&mut state);
    stages.insert("state_root", before.elapsed().as_secs_f64());

    let summary = Summary::new(&outcome, state.head(), start, stages);
    say_rejections(&outcome, say);
    summary.say(say);
    say.line(format_args!("state root {}", hex(&state.head().state_root)));
    if let Some(path) = &args.receipts {
        let lines: Vec<ReceiptLine> = outcome.receipts.iter().map(ReceiptLine::new).collect();
        write_file(path, &serde_json::to_vec_pretty(&lines)?)?;
    }
    if let Some(path) = &args.state_out {
        write_file(path, &files::to_binary(&state.to_file())?)?;
    }
    say.object(&summary)
}

/// A receipt as it stands in a file.
#[derive(Serialize)]
struct ReceiptLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
}

impl ReceiptLine {
    fn new(receipt: &Receipt) -> Self {
        match receipt {
            Receipt::Accepted { place } => Self {
                place: Some(*place),
                rejected: None,
            },
            Receipt::Rejected(reason) => Self {
                place: None,
                rejected: Some(reason.to_string()),
            },
        }
    }
}
