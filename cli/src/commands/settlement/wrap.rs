//! `wrap`: a validity proof as a settlement proof.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::{SettlementKey, SettlementProof, ValidityProof, VerificationKey};
use shardfold_fleet::settling::{Published, settle, settlement_prover};
use shardfold_protocol::head::Statement;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{DataMode, Publication};

use super::changes::{changes_path, other_changes, read_changes};
use super::publish::publication;
use crate::args::WrapArgs;
use crate::commands::verify::{keys, profile_of, verify_under_any};
use crate::commands::{allow, cache_folder};
use crate::contracts;
use crate::output::{Places, Printer, gib, peak_memory_bytes, read_file, warn};
use crate::progress::circuit_listener;

/// No key is longer.
const KEY_BYTES: u64 = 4096;
/// No settlement proof of a profile is longer.
const PROOF_BYTES: u64 = 1 << 18;

/// Runs the command.
pub fn run(args: &WrapArgs) -> Result<()> {
    let changes = changes_path(args.changes.as_deref(), &args.proof);
    let inputs = [args.proof.clone(), changes.clone()].into_iter();
    let mut places = Places::new(inputs.chain(args.key.clone()));
    let output = places.output(&args.output, PROOF_BYTES)?;
    let key_output = args
        .settlement_key
        .as_ref()
        .map(|path| places.output(path, KEY_BYTES))
        .transpose()?;
    let printer = places.printer(args.json)?;
    let (key, proof, statement) = read(args)?;
    let profile = profile_of(&key)?;
    let (settled, published) = published(args, &changes, &statement)?;
    let circuits = CircuitSet::new(contracts(), profile, &cache_folder(&args.cache)?)
        .with_listener(circuit_listener(printer));
    let made = make(&circuits, &key, &proof, &settled, &published, printer)?;
    if let Some(output) = &key_output {
        output.write(&made.key.to_bytes())?;
    }
    output.write(&made.proof.to_bytes())?;
    let report = Report::new(&made, published.mode());
    printer.line(format_args!(
        "{output}: {} bytes for the chain, data in {}, key {}, checked",
        report.bytes, report.data, report.key
    ));
    printer.object(&report)
}

/// The validity proof, verified, with its key and what it states.
fn read(args: &WrapArgs) -> Result<(VerificationKey, ValidityProof, Statement)> {
    let place = args.proof.display();
    let bytes = read_file(&args.proof, ValidityProof::MAX_BYTES)?;
    let proof = ValidityProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {place}"))?;
    let keys = keys(args.key.as_deref())?;
    for key in &keys {
        allow(profile_of(key)?, args.unsound)?;
    }
    let (key, statement) =
        verify_under_any(&keys, &proof).with_context(|| format!("{place} does not verify"))?;
    if profile_of(&key)? == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    Ok((key, proof, statement))
}

/// What the batch changes, and what will be published of it.
fn published(
    args: &WrapArgs,
    path: &Path,
    statement: &Statement,
) -> Result<(SettledBatch, Publication)> {
    let changes = read_changes(path)?;
    if changes.statement != *statement {
        return Err(other_changes(path, &args.proof));
    }
    let published = publication(&changes, args.data)?;
    Ok((changes, published))
}

/// A settlement proof that was made and checked.
struct Made {
    key: SettlementKey,
    proof: SettlementProof,
    circuits_seconds: f64,
    prove_seconds: f64,
}

/// Makes and checks the settlement proof.
fn make(
    circuits: &CircuitSet,
    last: &VerificationKey,
    proof: &ValidityProof,
    settled: &SettledBatch,
    published: &Publication,
    printer: Printer,
) -> Result<Made> {
    let start = Instant::now();
    let prover = settlement_prover(circuits, last).context("the settlement circuits")?;
    let circuits_seconds = start.elapsed().as_secs_f64();
    printer.line(format_args!("circuits in {circuits_seconds:.1} s"));
    let start = Instant::now();
    let data = Published {
        before: &settled.statement.before.data_commitment,
        differences: &settled.differences,
        point: published.evaluation().point,
    };
    let (settlement, stated) = settle(circuits, &prover, proof, data)?;
    let prove_seconds = start.elapsed().as_secs_f64();
    printer.line(format_args!("settlement proof in {prove_seconds:.1} s"));
    // The contract computes both sides of this by itself.
    ensure!(
        stated == settled.settlement(published),
        "the settlement proof states {:?}, expected {:?}",
        stated.evaluation,
        published.evaluation()
    );
    Ok(Made {
        key: prover.key(),
        proof: settlement,
        circuits_seconds,
        prove_seconds,
    })
}

#[derive(Serialize)]
struct Report {
    /// Of the settlement key.
    key: String,
    profile: &'static str,
    /// Where what the batch changes is to be published.
    data: &'static str,
    /// What the chain gets.
    bytes: usize,
    circuits_seconds: f64,
    prove_seconds: f64,
    peak_memory_gib: Option<f64>,
}

impl Report {
    fn new(made: &Made, data: DataMode) -> Self {
        Self {
            key: hex::encode(made.key.id()),
            profile: made.key.profile().name(),
            data: data.name(),
            bytes: made.proof.calldata().len(),
            circuits_seconds: made.circuits_seconds,
            prove_seconds: made.prove_seconds,
            peak_memory_gib: peak_memory_bytes().map(gib),
        }
    }
}
