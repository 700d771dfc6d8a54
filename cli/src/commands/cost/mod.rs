//! `cost`: what proving a batch takes, without proving it.

pub mod breakdown;
mod diff;
pub mod predict;
pub mod print;
pub mod rates;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use shardfold_prover::CircuitSet;

use super::input;
use super::sharded::ShardedBatch;
use super::{Stages, cache_folder, counts, profile, shapes};
use crate::args::CostArgs;
use crate::contracts;
use crate::exit::usage;
use crate::output::{Printer, STANDARD};
use breakdown::Breakdown;
use diff::Diff;
use predict::Prediction;
use rates::Measured;

/// The form of the object for machines; `--diff` reads no other one.
const FORMAT: u32 = 1;

/// What `cost` prints for machines.
#[derive(Serialize)]
pub struct Report<'a> {
    /// The form of this object.
    cost: u32,
    batch: String,
    profile: &'static str,
    /// Transactions that would be proven.
    transactions: u64,
    /// Transactions that would be left out.
    rejected: u64,
    #[serde(flatten)]
    breakdown: &'a Breakdown,
    /// How many threads would prove.
    threads: usize,
    /// None if nothing was measured with as many threads.
    prediction: Option<Prediction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Diff>,
}

/// Runs the command.
pub fn run(args: &CostArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let profile = profile(args.cut.profile, args.cut.unsound)?;
    let earlier = earlier(args)?;
    let circuits = CircuitSet::new(contracts(), profile, &cache_folder(&args.cache)?);
    let ready = input::read_only(&args.batch, args.state.as_deref())?;
    let shapes = shapes(&args.cut)?;
    let cut = ShardedBatch::new(&args.batch, ready, &shapes, &mut Stages::new())?;
    let breakdown = Breakdown::new(&circuits, &cut.shards)?;

    let measured = rates::read(&rates::path(&circuits)).unwrap_or_else(|error| {
        printer.line(format_args!("{error:#}: passed by"));
        Measured::default()
    });
    let threads = rayon::current_num_threads();
    let rates = measured.threads.get(&threads);
    let (arity, price) = (profile.arity(), args.price.price);
    let predict = |rates| Prediction::new(&breakdown, arity, rates, threads, price);
    let counts = counts(&cut.outcome);
    let mut report = Report {
        cost: FORMAT,
        batch: args.batch.display().to_string(),
        profile: profile.name(),
        transactions: counts.accepted,
        rejected: counts.rejected,
        breakdown: &breakdown,
        threads,
        prediction: rates.and_then(predict),
        diff: None,
    };
    report.diff = earlier.map(|(path, earlier)| Diff::new(path, &earlier, &report));
    print::report(&report, &measured, printer)?;
    printer.object(&report)
}

/// What to compare with, if that is asked for: looked at before the work.
fn earlier(args: &CostArgs) -> Result<Option<(&Path, diff::Earlier)>> {
    let Some(path) = args.diff.as_deref() else {
        return Ok(None);
    };
    let is_taken = [Some(&*args.batch), args.state.as_deref()].contains(&Some(path));
    if path == Path::new(STANDARD) && is_taken {
        return Err(usage(
            "standard input can be one of the batch, its state and OTHER only",
        ));
    }
    Ok(Some((path, diff::read(path)?)))
}
