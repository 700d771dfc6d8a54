//! `settle-call`: what the contract gets to settle a batch.

use std::path::Path;

use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::SettlementProof;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::encoding::statement_bytes;

use crate::args::{CutArgs, SettleCallArgs};
use crate::commands::input::{cannot_use, read_content};
use crate::commands::shapes;
use crate::contracts;
use crate::output::{Printer, read_file};

/// Runs the command.
pub fn settle_call(args: &SettleCallArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let state = args.state.as_deref();
    let (settled, proof) = settled(&args.batch, &args.proof, state, &args.cut)?;
    let call = settled.call(proof.calldata().to_vec(), args.checkpoint);
    let report = Report {
        transactions: settled.statement.after.tx_count - settled.statement.before.tx_count,
        withdrawals: settled.withdrawals.len(),
        difference_bytes: call.data.len(),
        call: format!("0x{}", hex::encode(call.abi_encode())),
    };
    if args.json {
        return printer.object(&report);
    }
    printer.answer(format_args!("{}", report.call))
}

/// Executes a batch on the state that it starts from, and makes sure that a proof is of it.
pub fn settled(
    batch: &Path,
    proof: &Path,
    state: Option<&Path>,
    cut: &CutArgs,
) -> Result<(SettledBatch, SettlementProof)> {
    let genesis = batch.with_file_name("genesis.bin");
    let place = state.unwrap_or(&genesis);
    let batch: Batch = read_content("batch", batch)?;
    let state: StateFile = read_content("state", place)?;
    let mut state = State::try_from(&state).with_context(|| cannot_use(place))?;
    let bytes = read_file(proof, SettlementProof::MAX_BYTES)?;
    let read = SettlementProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {}", proof.display()))?;

    let settled = SettledBatch::execute(contracts(), &mut state, &batch, &shapes(cut)?)?;
    let expected = statement_bytes(&settled.statement);
    ensure!(
        read.calldata().starts_with(&expected),
        "the proof {} states something else than the batch gives: take the batch and the state of \
         this proof, and the --profile and --shape with which it was proven",
        proof.display()
    );
    Ok((settled, read))
}

#[derive(Serialize)]
struct Report {
    transactions: u64,
    withdrawals: usize,
    /// Of the published differences.
    difference_bytes: usize,
    call: String,
}
