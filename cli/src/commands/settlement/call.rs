//! `settle-call`: what the contract gets to settle a batch.

use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::SettlementProof;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::state::{State, StateFile};
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::encoding::statement_bytes;

use crate::args::SettleCallArgs;
use crate::commands::input::{cannot_use, read_content};
use crate::commands::shapes;
use crate::contracts;
use crate::output::{Printer, read_file};

/// Runs the command.
pub fn settle_call(args: &SettleCallArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let batch: Batch = read_content("batch", &args.batch)?;
    let genesis = args.batch.with_file_name("genesis.bin");
    let place = args.state.as_deref().unwrap_or(&genesis);
    let state: StateFile = read_content("state", place)?;
    let mut state = State::try_from(&state).with_context(|| cannot_use(place))?;
    let bytes = read_file(&args.proof, SettlementProof::MAX_BYTES)?;
    let proof = SettlementProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {}", args.proof.display()))?;

    let settled = SettledBatch::execute(contracts(), &mut state, &batch, &shapes(&args.cut)?)?;
    let expected = statement_bytes(&settled.statement);
    ensure!(
        proof.calldata().starts_with(&expected),
        "the proof {} states something else than the batch gives: take the batch and the state of \
         this proof, and the --profile and --shape with which it was proven",
        args.proof.display()
    );
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

#[derive(Serialize)]
struct Report {
    transactions: u64,
    withdrawals: usize,
    /// Of the published differences.
    difference_bytes: usize,
    call: String,
}
