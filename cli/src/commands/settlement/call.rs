//! `settle-call`: what the contract gets to settle a batch.

use std::path::Path;

use alloy_sol_types::SolCall as _;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use shardfold_aggregator::SettlementProof;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::encoding::{settlement_bytes, statement_bytes};

use super::archive::keep_blob;
use super::changes::{changes_path, other_changes, read_changes};
use crate::args::SettleCallArgs;
use crate::exit::usage;
use crate::output::{Printer, read_file};

/// Runs the command.
pub fn settle_call(args: &SettleCallArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let Settled {
        batch,
        published,
        proof,
    } = settled(
        &changes_path(args.changes.as_deref(), &args.proof),
        &args.proof,
    )?;
    let blobs = write_blobs(&published, args.blobs.as_deref())?;
    let call = batch.call(&published, proof.calldata().to_vec(), args.checkpoint);
    let report = Report {
        transactions: (batch.statement.after.tx_count)
            .saturating_sub(batch.statement.before.tx_count),
        withdrawals: batch.withdrawals.len(),
        data: published.mode().name(),
        data_bytes: call.data.len(),
        blobs,
        call: format!("0x{}", hex::encode(call.abi_encode())),
    };
    if args.json {
        return printer.object(&report);
    }
    printer.answer(format_args!("{}", report.call))
}

/// A batch with its settlement proof, and what the proof expects to be published of it.
pub struct Settled {
    pub batch: SettledBatch,
    pub published: Publication,
    pub proof: SettlementProof,
}

/// Reads the changes of a batch, and makes sure that a proof is of them.
pub fn settled(changes: &Path, proof: &Path) -> Result<Settled> {
    let bytes = read_file(proof, SettlementProof::MAX_BYTES)?;
    let read = SettlementProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {}", proof.display()))?;
    let batch = read_changes(changes)?;
    let stated = read.calldata();
    if !stated.starts_with(&statement_bytes(&batch.statement)) {
        return Err(other_changes(changes, proof));
    }
    // Which of the two it is follows from the point that it states.
    for mode in DataMode::ALL {
        let published = batch.published(mode)?;
        if stated.starts_with(&settlement_bytes(&batch.settlement(&published))) {
            return Ok(Settled {
                batch,
                published,
                proof: read,
            });
        }
    }
    bail!(
        "the proof {} is of the batch, but of data that are published in no way that this build \
         knows",
        proof.display()
    )
}

/// Writes each blob into a file that its hash names; returns the hashes.
pub fn write_blobs(published: &Publication, folder: Option<&Path>) -> Result<Vec<String>> {
    let hashes = published.versioned_hashes().iter();
    let hashes: Vec<String> = hashes.map(ToString::to_string).collect();
    if hashes.is_empty() {
        return Ok(hashes);
    }
    let folder = folder.ok_or_else(|| {
        usage("the proof is of data in blobs: name a folder for them with --blobs")
    })?;
    for (hash, blob) in published.versioned_hashes().iter().zip(published.blobs()) {
        keep_blob(folder, hash, blob)?;
    }
    Ok(hashes)
}

#[derive(Serialize)]
struct Report {
    transactions: u64,
    withdrawals: usize,
    /// Where the differences are published.
    data: &'static str,
    /// Of them, in the call.
    data_bytes: usize,
    /// The hashes of the blobs, in the order in which they go with the transaction.
    blobs: Vec<String>,
    call: String,
}
