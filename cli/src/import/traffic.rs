//! A trace of real traffic as a genesis state and a signed batch.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use shardfold_executor::workload::trace::{AssetPlan, Import, Options, Plan, Trace};
use shardfold_protocol::amount::FEE_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::head::check_time;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::text::excerpt;

use super::{batch_bytes, batch_name};
use crate::args::ImportArgs;
use crate::exit::usage;
use crate::output::{Output, Places, Printer};

/// Imports a trace.
pub fn run(args: &ImportArgs, path: &Path, printer: Printer) -> Result<()> {
    if args.fee >= FEE_LIMIT {
        return Err(usage(format!(
            "--fee is {}, the rollup takes fees below 2^48",
            args.fee
        )));
    }
    let outputs = Outputs::new(args, path)?;
    let mut trace = Trace::read(path).with_context(|| path.display().to_string())?;
    if let Some(limit) = args.limit {
        trace.transfers.truncate(limit);
    }
    ensure!(
        !trace.transfers.is_empty(),
        "{} has no transfers to import",
        path.display()
    );
    let options = Options {
        seed: args.seed,
        chain_id: args.chain_id,
        fee: args.fee,
        time: args.time,
    };
    let import = Import::new(&trace.transfers, options)
        .with_context(|| format!("cannot import {}", path.display()))?;
    let (vaults, mut transactions) = if args.deposits {
        (Vec::new(), import.deposits())
    } else {
        (import.genesis(), Vec::new())
    };
    let genesis = StateFile {
        chain_id: args.chain_id,
        head: None,
        vaults,
        records: vec![],
    };
    let state = State::try_from(&genesis)?;
    let deposit_count = transactions.len();
    transactions.extend(import.transfers());
    let batch = Batch {
        chain_id: args.chain_id,
        before: *state.head(),
        time: import.time_after(state.head()),
        transactions,
    };
    check_time(batch.before.time, batch.time)
        .context("no batch can have the time that was given, or that of the last transfer")?;
    outputs.write(args, &genesis, &batch, import.plan())?;
    report(args, &trace, import.plan(), deposit_count, printer);
    Ok(())
}

/// The files that are made.
struct Outputs {
    genesis: Output,
    batch: Output,
    assets: Output,
}

impl Outputs {
    /// Checks them before the work.
    fn new(args: &ImportArgs, path: &Path) -> Result<Self> {
        let mut places = Places::new([path.to_owned()]);
        let name = batch_name("batch", args.format);
        Ok(Self {
            genesis: places.output(&args.output.join("genesis.bin"), 0)?,
            batch: places.output(&args.output.join(name), 0)?,
            assets: places.output(&args.output.join("assets.csv"), 0)?,
        })
    }

    fn write(
        &self,
        args: &ImportArgs,
        genesis: &StateFile,
        batch: &Batch,
        plan: &Plan,
    ) -> Result<()> {
        self.genesis.write(&files::to_binary(genesis)?)?;
        let mut assets = Vec::new();
        plan.write_assets(&mut assets)?;
        self.assets.write(&assets)?;
        self.batch.write(&batch_bytes(batch, args.format)?)
    }
}

fn report(args: &ImportArgs, trace: &Trace, plan: &Plan, deposits: usize, printer: Printer) {
    printer.line(format_args!(
        "{} transfers of {} assets between {} vaults, {} swaps skipped",
        plan.transfers.len(),
        plan.assets.len(),
        plan.vaults.len(),
        trace.swaps_skipped
    ));
    if plan.self_transfers > 0 {
        printer.line(format_args!(
            "{} transfers to oneself go to a second vault of the same owner",
            plan.self_transfers
        ));
    }
    report_scaling(&plan.assets, printer);
    if deposits > 0 {
        printer.line(format_args!("{deposits} deposits open and fund the vaults"));
    }
    printer.line(format_args!(
        "written to {}: genesis.bin, the batch, and assets.csv, which numbers the assets",
        args.output.display()
    ));
}

/// Says what was scaled, and what fell below one unit; all of it is in assets.csv.
fn report_scaling(assets: &[AssetPlan], printer: Printer) {
    let shown = 10;
    let scaled: Vec<&AssetPlan> = assets.iter().filter(|asset| asset.digits > 0).collect();
    if scaled.is_empty() {
        return;
    }
    let sum = |count: fn(&AssetPlan) -> u64| scaled.iter().map(|asset| count(asset)).sum::<u64>();
    printer.line(format_args!(
        "{} assets are scaled, so that all transfers of one are below 2^60 together: {} amounts \
         are rounded down, of which {} are below one unit and become 0",
        scaled.len(),
        sum(|asset| asset.rounded),
        sum(|asset| asset.below_unit)
    ));
    for asset in scaled.iter().take(shown) {
        printer.line(format_args!(
            "  {}: one unit is 10^{}; {} rounded down by {} in all; {} below one unit, {} in all",
            excerpt(&asset.name),
            asset.digits,
            asset.rounded,
            asset.lost,
            asset.below_unit,
            asset.below_unit_total
        ));
    }
    if scaled.len() > shown {
        printer.line(format_args!(
            "  ... and {} more, in assets.csv",
            scaled.len() - shown
        ));
    }
}
