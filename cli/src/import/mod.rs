//! Turns a trace of real traffic into a genesis state and a signed batch.

use anyhow::{Context, Result, ensure};
use shardfold_executor::workload::trace::{AssetPlan, Import, Options, Plan, Trace};
use shardfold_protocol::amount::FEE_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::files;
use shardfold_protocol::folder;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::text::excerpt;

use crate::args::{Format, ImportTrafficArgs};
use crate::output::{self, Say};

/// The `import` command.
pub fn run(args: &ImportTrafficArgs, say: Say) -> Result<()> {
    ensure!(
        args.fee < FEE_LIMIT,
        "--fee is {}, the rollup takes fees below 2^48",
        args.fee
    );
    ensure!(
        args.chain_id < MODULUS,
        "--chain-id {} is not a field element",
        args.chain_id
    );
    let mut trace = Trace::read(&args.trace).with_context(|| args.trace.display().to_string())?;
    if let Some(limit) = args.limit {
        trace.transfers.truncate(limit);
    }
    ensure!(
        !trace.transfers.is_empty(),
        "{} has no transfers to import",
        args.trace.display()
    );
    let options = Options {
        seed: args.seed,
        chain_id: args.chain_id,
        fee: args.fee,
    };
    let import = Import::new(&trace.transfers, options)
        .with_context(|| format!("cannot import {}", args.trace.display()))?;
    let (vaults, mut transactions) = if args.deposits {
        (Vec::new(), import.deposits())
    } else {
        (import.genesis(), Vec::new())
    };
    let genesis = StateFile {
        chain_id: args.chain_id,
        head: None,
        vaults,
    };
    let state = State::try_from(&genesis)?;
    let deposit_count = transactions.len();
    transactions.extend(import.transfers());
    let batch = Batch {
        chain_id: args.chain_id,
        before: *state.head(),
        transactions,
    };
    write(args, &genesis, &batch, import.plan())?;
    report(args, &trace, import.plan(), deposit_count, say);
    Ok(())
}

fn write(args: &ImportTrafficArgs, genesis: &StateFile, batch: &Batch, plan: &Plan) -> Result<()> {
    folder::create(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    output::write_file(
        &args.output.join("genesis.bin"),
        &files::to_binary(genesis)?,
    )?;
    let mut assets = Vec::new();
    plan.write_assets(&mut assets)?;
    output::write_file(&args.output.join("assets.csv"), &assets)?;
    let (name, bytes) = match args.format {
        Format::Binary => ("batch.bin", files::to_binary(batch)?),
        Format::Json => ("batch.json", files::to_json(batch)?),
    };
    output::write_file(&args.output.join(name), &bytes)
}

fn report(args: &ImportTrafficArgs, trace: &Trace, plan: &Plan, deposits: usize, say: Say) {
    say.line(format_args!(
        "{} transfers of {} assets between {} vaults, {} swaps skipped",
        plan.transfers.len(),
        plan.assets.len(),
        plan.vaults.len(),
        trace.swaps_skipped
    ));
    if plan.self_transfers > 0 {
        say.line(format_args!(
            "{} transfers to oneself go to a second vault of the same owner",
            plan.self_transfers
        ));
    }
    report_scaling(&plan.assets, say);
    if deposits > 0 {
        say.line(format_args!("{deposits} deposits open and fund the vaults"));
    }
    say.line(format_args!(
        "written to {}: genesis.bin, the batch, and assets.csv, which numbers the assets",
        args.output.display()
    ));
}

/// Says what was scaled, and what fell below one unit; all of it is in assets.csv.
fn report_scaling(assets: &[AssetPlan], say: Say) {
    let shown = 10;
    let scaled: Vec<&AssetPlan> = assets.iter().filter(|asset| asset.digits > 0).collect();
    if scaled.is_empty() {
        return;
    }
    let sum = |count: fn(&AssetPlan) -> u64| scaled.iter().map(|asset| count(asset)).sum::<u64>();
    say.line(format_args!(
        "{} assets are scaled, so that all transfers of one are below 2^60 together: {} amounts \
         are rounded down, of which {} are below one unit and become 0",
        scaled.len(),
        sum(|asset| asset.rounded),
        sum(|asset| asset.below_unit)
    ));
    for asset in scaled.iter().take(shown) {
        say.line(format_args!(
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
        say.line(format_args!(
            "  ... and {} more, in assets.csv",
            scaled.len() - shown
        ));
    }
}
