//! `settle`: a proven batch, on its contract, once.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_settlement::verifier::data_hash;
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::journal::beside;
use shardfold_submitter::key;
use shardfold_submitter::settle::{Options, Order, Report, Settler};

use super::call::{Settled, settled, write_blobs};
use super::changes::changes_path;
use super::owner::address;
use super::verify::verify_under_any;
use crate::args::SettleArgs;
use crate::exit::usage;
use crate::output::{Places, Printer};
use crate::threads;

/// The variable with the settler's key.
const VARIABLE: &str = "SHARDFOLD_SETTLER_KEY";
/// Between two looks at the chain.
const POLL: Duration = Duration::from_secs(2);
const GWEI: u128 = 1_000_000_000;
/// A few transactions of 128 KiB, in hexadecimal digits, without their blobs.
const JOURNAL_BYTES: u64 = 1 << 20;

/// Runs the command.
pub fn settle(args: &SettleArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let contract = address(&args.chain.contract)?;
    let signer = match (&args.key, env::var(VARIABLE)) {
        (Some(path), _) => key::read(path)?,
        (None, Ok(text)) => key::parse(&text, VARIABLE.to_owned())?,
        (None, Err(_)) => {
            return Err(usage(format!(
                "there is no key to settle with: name its file with --key, or set {VARIABLE}"
            )));
        }
    };
    let journal = args.journal.clone();
    let journal = journal.unwrap_or_else(|| beside(&args.proof, ".journal"));
    let changes = changes_path(args.changes.as_deref(), &args.proof);
    let inputs = [&args.proof, &changes].into_iter().chain(&args.key);
    Places::new(inputs.cloned()).output(&journal, JOURNAL_BYTES)?;
    let runtime = threads::runtime()?;
    let endpoints = runtime.block_on(Endpoints::connect(&args.chain.rpc))?;
    let (order, blobs) = order(args, &changes, printer)?;
    let settler = Settler {
        endpoints: &endpoints,
        contract,
        signer,
        journal,
        options: Options {
            depth: args.depth,
            poll: POLL,
            patience: Duration::from_secs(args.patience),
            max_fee: u128::from(args.max_fee) * GWEI,
            max_blob_fee: u128::from(args.max_blob_fee) * GWEI,
        },
        say: &|text| printer.line(format_args!("{text}")),
    };
    let report = runtime.block_on(settler.settle(&order))?;
    print(&report, blobs, printer)
}

/// What is to be settled, and the hashes of its blobs, which are kept before anything is sent.
fn order(args: &SettleArgs, changes: &Path, printer: Printer) -> Result<(Order, Vec<String>)> {
    let Settled {
        batch,
        published,
        proof,
    } = settled(changes, &args.proof)?;
    let (named, unsound) = (args.settlement_key.as_deref(), args.unsound);
    let verified = verify_under_any(&proof, named, unsound)
        .with_context(|| format!("{} does not verify", args.proof.display()))?;
    let (key, ..) = verified.ok_or_else(|| {
        usage("there is no settlement key for the proof: name one with --settlement-key")
    })?;
    let data = key.verifier_data().context("the key makes no verifier")?;
    let folder = args.blobs.clone();
    let folder = folder.unwrap_or_else(|| args.proof.with_file_name("blobs"));
    let blobs = write_blobs(&published, Some(&folder))?;
    if !blobs.is_empty() {
        printer.line(format_args!(
            "{}: {} blobs of the batch, to be kept",
            folder.display(),
            blobs.len()
        ));
    }
    let proof = proof.calldata().to_vec();
    let mut order = Order::new(&batch, &published, proof, args.checkpoint)?;
    order.verifier = Some(data_hash(&data));
    Ok((order, blobs))
}

fn print(report: &Report, blobs: Vec<String>, printer: Printer) -> Result<()> {
    let what = if report.was_settled {
        "already settled"
    } else {
        "settled"
    };
    printer.line(format_args!(
        "{what}: transaction {} in block {}",
        report.transaction, report.block
    ));
    if let (Some(gas), Some(cost)) = (report.gas, report.cost) {
        let blob_gas = report.blob_gas.unwrap_or_default();
        printer.line(format_args!("{gas} gas, {blob_gas} blob gas, {cost} wei"));
    }
    printer.object(&Printed {
        transaction: report.transaction.to_string(),
        block: report.block,
        was_settled: report.was_settled,
        blobs,
        gas: report.gas,
        blob_gas: report.blob_gas,
        cost_wei: report.cost.map(|cost| cost.to_string()),
    })
}

#[derive(Serialize)]
struct Printed {
    transaction: String,
    block: u64,
    /// Before this command, by whomever.
    was_settled: bool,
    /// The hashes of the blobs, in their order.
    blobs: Vec<String>,
    gas: Option<u64>,
    blob_gas: Option<u64>,
    /// With the blobs.
    cost_wei: Option<String>,
}
