//! Turns a trace of real traffic into a genesis state and a signed batch.

use anyhow::{Context, Result, ensure};
use shardfold_executor::workload::trace::{Options, Plan, Replay, Trace};
use shardfold_protocol::amount::FEE_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::files;
use shardfold_protocol::state::{State, StateFile};

use crate::args::{Format, ReplayArgs};
use crate::exit::usage;
use crate::output::{Output, Places, Say};

/// The `replay` command.
pub fn run(args: &ReplayArgs, say: Say) -> Result<()> {
    if args.fee >= FEE_LIMIT {
        return Err(usage(format!(
            "--fee is {}, the rollup takes fees below 2^48",
            args.fee
        )));
    }
    if args.chain_id >= MODULUS {
        return Err(usage(format!(
            "--chain-id {} is not a field element",
            args.chain_id
        )));
    }
    let outputs = Outputs::new(args)?;
    let mut trace = Trace::read(&args.trace).with_context(|| args.trace.display().to_string())?;
    if let Some(limit) = args.limit {
        trace.transfers.truncate(limit);
    }
    ensure!(
        !trace.transfers.is_empty(),
        "{} has no transfers to replay",
        args.trace.display()
    );
    let options = Options {
        seed: args.seed,
        chain_id: args.chain_id,
        fee: args.fee,
    };
    let replay = Replay::new(&trace.transfers, options);
    let (vaults, mut transactions) = if args.deposits {
        (Vec::new(), replay.deposits())
    } else {
        (replay.genesis(), Vec::new())
    };
    let genesis = StateFile {
        chain_id: args.chain_id,
        head: None,
        vaults,
    };
    let state = State::try_from(&genesis)?;
    let deposit_count = transactions.len();
    transactions.extend(replay.transfers());
    let batch = Batch {
        chain_id: args.chain_id,
        before: *state.head(),
        transactions,
    };
    outputs.write(args, &genesis, &batch)?;
    report(args, &trace, replay.plan(), deposit_count, say);
    Ok(())
}

/// The files that are made.
struct Outputs {
    genesis: Output,
    batch: Output,
}

impl Outputs {
    /// Looked at before the work.
    fn new(args: &ReplayArgs) -> Result<Self> {
        let mut places = Places::new([args.trace.clone()]);
        let name = match args.format {
            Format::Binary => "batch.bin",
            Format::Json => "batch.json",
        };
        Ok(Self {
            genesis: places.output(&args.output.join("genesis.bin"), 0)?,
            batch: places.output(&args.output.join(name), 0)?,
        })
    }

    fn write(&self, args: &ReplayArgs, genesis: &StateFile, batch: &Batch) -> Result<()> {
        self.genesis.write(&files::to_binary(genesis)?)?;
        self.batch.write(&match args.format {
            Format::Binary => files::to_binary(batch)?,
            Format::Json => files::to_json(batch)?,
        })
    }
}

fn report(args: &ReplayArgs, trace: &Trace, plan: &Plan, deposits: usize, say: Say) {
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
    let scaled = plan.assets.iter().filter(|(_, digits)| *digits > 0).count();
    if scaled > 0 {
        say.line(format_args!(
            "{scaled} assets lost decimal digits to fit amounts below 2^62; {} amounts below one unit count as one",
            plan.rounded_up
        ));
    }
    if deposits > 0 {
        say.line(format_args!("{deposits} deposits open and fund the vaults"));
    }
    say.line(format_args!(
        "written to {}: genesis.bin and the batch",
        args.output.display()
    ));
}
