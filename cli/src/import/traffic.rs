//! A trace of real traffic as a genesis state and a signed batch.

mod pools;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use shardfold_executor::workload::trace::{AssetPlan, Import, Options, Plan, PoolTrace, Trace};
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
            "--fee is {}, the rollup takes fees below 2^46",
            args.fee
        )));
    }
    let outputs = Outputs::new(args, path)?;
    let name = || path.display().to_string();
    let bytes = fs::read(path).with_context(name)?;
    let options = Options {
        seed: args.seed,
        chain_id: args.chain_id,
        fee: args.fee,
        time: args.time,
    };
    if PoolTrace::is_one(&bytes) {
        return pools::run((args, path), options, &bytes, &outputs, printer);
    }
    let mut trace = Trace::from_bytes(&bytes).with_context(name)?;
    if let Some(limit) = args.limit {
        trace.movements.truncate(limit);
    }
    ensure!(
        !trace.movements.is_empty(),
        "{} has no transfers or swaps to import",
        path.display()
    );
    let import = Import::new(&trace.movements, options)
        .with_context(|| format!("cannot import {}", path.display()))?;
    let genesis = if args.deposits {
        import.empty()
    } else {
        import.genesis()
    };
    let state = State::try_from(&genesis)?;
    let time = import.time_after(state.head());
    let mut transactions = if args.deposits {
        import.openings(time)
    } else {
        Vec::new()
    };
    let deposit_count = transactions.len();
    transactions.extend(import.movements(time));
    let batch = Batch {
        chain_id: args.chain_id,
        before: *state.head(),
        time,
        transactions,
    };
    check_time(batch.before.time, batch.time)
        .context("no batch can have the time that was given, or that of the last transfer")?;
    let mut assets = Vec::new();
    import.plan().write_assets(&mut assets)?;
    outputs.write(&genesis, &assets, &batch_bytes(&batch, args.format)?)?;
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

    fn write(&self, genesis: &StateFile, assets: &[u8], batch: &[u8]) -> Result<()> {
        self.genesis.write(&files::to_binary(genesis)?)?;
        self.assets.write(assets)?;
        self.batch.write(batch)
    }
}

fn report(args: &ImportArgs, trace: &Trace, plan: &Plan, deposits: usize, printer: Printer) {
    let (swaps, served) = plan.swaps();
    printer.line(format_args!(
        "{} transfers of {} assets between {} vaults, {} swaps skipped",
        plan.actions.len() - swaps,
        plan.assets.len(),
        plan.vaults.len(),
        trace.swaps_skipped + plan.swaps_for_itself
    ));
    if swaps > 0 {
        printer.line(format_args!(
            "{swaps} swaps in {} pools, which are opened and funded: {served} are served, {} ask \
             for more than their pool gives and will be left out",
            plan.pools.len(),
            swaps - served
        ));
    }
    if plan.self_transfers > 0 {
        printer.line(format_args!(
            "{} transfers to oneself go to a second vault of the same owner",
            plan.self_transfers
        ));
    }
    report_scaling(&plan.assets, printer);
    if deposits > 0 {
        printer.line(format_args!(
            "{deposits} deposits and openings make the vaults and pools"
        ));
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
