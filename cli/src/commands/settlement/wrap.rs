//! `wrap`: a validity proof as a settlement proof.

use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_aggregator::{
    SettlementKey, SettlementProof, SettlementProver, ValidityProof, VerificationKey,
    verify_settlement,
};
use shardfold_recursion::profile::Profile;

use crate::args::WrapArgs;
use crate::commands::allow;
use crate::commands::verify::{keys, profile_of, verify_under_any};
use crate::output::{Output, Places, Printer, gib, peak_memory_bytes, read_file, warn};

/// No key is longer.
const KEY_BYTES: u64 = 4096;
/// No settlement proof of a profile is longer.
const PROOF_BYTES: u64 = 1 << 18;

/// Runs the command.
pub fn run(args: &WrapArgs) -> Result<()> {
    let mut places = Places::new([args.proof.clone()].into_iter().chain(args.key.clone()));
    let output = places.output(&args.output, PROOF_BYTES)?;
    let key_output = args
        .settlement_key
        .as_ref()
        .map(|path| places.output(path, KEY_BYTES))
        .transpose()?;
    let printer = places.printer(args.json)?;
    let place = args.proof.display();
    let bytes = read_file(&args.proof, ValidityProof::MAX_BYTES)?;
    let proof = ValidityProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {place}"))?;
    let keys = keys(args.key.as_deref())?;
    for key in &keys {
        allow(profile_of(key)?, args.unsound)?;
    }
    let (key, _) =
        verify_under_any(&keys, &proof).with_context(|| format!("{place} does not verify"))?;
    if profile_of(&key)? == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let report = make(key, &proof, &output, key_output.as_ref(), printer)?;
    printer.line(format_args!(
        "{output}: {} bytes for the chain, key {}, checked",
        report.bytes, report.key
    ));
    printer.object(&report)
}

/// Makes, checks and writes the settlement proof.
fn make(
    last: VerificationKey,
    proof: &ValidityProof,
    output: &Output,
    key_output: Option<&Output>,
    printer: Printer,
) -> Result<Report> {
    let start = Instant::now();
    let prover = SettlementProver::build(last).context("the settlement circuits")?;
    let circuits = start.elapsed().as_secs_f64();
    printer.line(format_args!("circuits in {circuits:.1} s"));
    let start = Instant::now();
    let settlement = prover.prove(proof)?;
    let prove = start.elapsed().as_secs_f64();
    printer.line(format_args!("settlement proof in {prove:.1} s"));
    let key = prover.key();
    drop(prover);
    // It is checked before it is written, as every proof is.
    verify_settlement(&key, &settlement).context("the settlement proof that was made")?;
    if let Some(output) = key_output {
        output.write(&key.to_bytes())?;
    }
    output.write(&settlement.to_bytes())?;
    Ok(Report::new(&key, &settlement, circuits, prove))
}

#[derive(Serialize)]
struct Report {
    /// Of the settlement key.
    key: String,
    profile: &'static str,
    /// What the chain gets.
    bytes: usize,
    circuits_seconds: f64,
    prove_seconds: f64,
    peak_memory_gib: Option<f64>,
}

impl Report {
    fn new(key: &SettlementKey, proof: &SettlementProof, circuits: f64, prove: f64) -> Self {
        Self {
            key: hex::encode(key.id()),
            profile: key.profile().name(),
            bytes: proof.calldata().len(),
            circuits_seconds: circuits,
            prove_seconds: prove,
            peak_memory_gib: peak_memory_bytes().map(gib),
        }
    }
}
