//! `verify`: check a validity proof and print its statement.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use shardfold_aggregator::{ValidityProof, VerificationKey, VerifyError, verify};
use shardfold_protocol::head::{Head, Statement};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::Bits;

use super::{hex as digest_hex, params};
use crate::args::VerifyArgs;
use crate::output::{Say, read_file};

/// The keys of the circuits that this binary builds, made by `shardfold key`.
const BUILT_IN: [&[u8]; 2] = [
    include_bytes!("../../keys/proven-100.key"),
    include_bytes!("../../keys/conjectured-100.key"),
];

/// Runs the command.
pub fn run(args: &VerifyArgs) -> Result<()> {
    let say = Say::new(args.json);
    let place = args.proof.display();
    let bytes = read_file(&args.proof, ValidityProof::MAX_BYTES)?;
    let proof = ValidityProof::from_bytes(&bytes)
        .with_context(|| format!("cannot use the proof {place}"))?;
    let keys = keys(args)?;
    let start = Instant::now();
    let (key, statement) =
        verify_under_any(&keys, &proof).with_context(|| format!("{place} does not verify"))?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;

    let profile = Profile::named(key.profile()).context("the key's profile is unknown")?;
    let bits = params::bits(profile, key.degree_bits())?.total;
    if profile == Profile::UnsoundTest {
        eprintln!("warning: the profile `unsound-test` proves nothing");
    }
    if let Some(least) = args.min_security {
        ensure!(
            bits.proven() >= f64::from(least),
            "{place} verifies, but the profile {} gives {:.1} proven bits, {least} are asked for",
            profile.name(),
            bits.proven()
        );
    }
    let report = Report::new(&key, &statement, &bits, milliseconds, bytes.len());
    report.say(say);
    say.object(&report)
}

/// The key that the user names, or those that are built in.
fn keys(args: &VerifyArgs) -> Result<Vec<VerificationKey>> {
    if let Some(path) = &args.key {
        let bytes = read_file(path, ValidityProof::MAX_BYTES)?;
        let key = VerificationKey::from_bytes(&bytes)
            .with_context(|| format!("cannot use the key {}", path.display()))?;
        return Ok(vec![key]);
    }
    built_in_keys()
}

/// The keys that this binary holds.
pub fn built_in_keys() -> Result<Vec<VerificationKey>> {
    BUILT_IN
        .iter()
        .map(|bytes| VerificationKey::from_bytes(bytes).context("a built-in key is damaged"))
        .collect()
}

/// The key under which the proof verifies, and what it states. A proof has the length of its
/// profile's proofs, so at most one key gets to look at it closely.
fn verify_under_any(
    keys: &[VerificationKey],
    proof: &ValidityProof,
) -> Result<(VerificationKey, Statement)> {
    let mut last = None;
    for key in keys {
        match verify(key, proof) {
            Ok(statement) => return Ok((key.clone(), statement)),
            // The length is that of another profile's proofs.
            Err(error @ VerifyError::Malformed(_)) => last = last.or(Some((key, error))),
            Err(error) => last = Some((key, error)),
        }
    }
    match last {
        Some((key, error)) => {
            Err(error).with_context(|| format!("under the key of the profile {}", key.profile()))
        }
        None => bail!("there is no key to verify it under"),
    }
}

#[derive(Serialize)]
struct Report {
    valid: bool,
    profile: &'static str,
    key: String,
    proven_bits: f64,
    conjectured_bits: f64,
    chain_id: u64,
    before: HeadReport,
    after: HeadReport,
    transactions: u64,
    milliseconds: f64,
    bytes: usize,
}

#[derive(Serialize)]
struct HeadReport {
    state_root: String,
    tx_count: u64,
    deposit_count: u64,
    tx_commitment: String,
    deposit_commitment: String,
    withdrawal_commitment: String,
}

impl HeadReport {
    fn new(head: &Head) -> Self {
        Self {
            state_root: digest_hex(&head.state_root),
            tx_count: head.tx_count,
            deposit_count: head.deposit_count,
            tx_commitment: digest_hex(&head.tx_commitment),
            deposit_commitment: digest_hex(&head.deposit_commitment),
            withdrawal_commitment: digest_hex(&head.withdrawal_commitment),
        }
    }

    fn say(&self, name: &str, say: Say) {
        say.line(format_args!("{name}:"));
        say.line(format_args!("  state root             {}", self.state_root));
        say.line(format_args!("  transactions           {}", self.tx_count));
        say.line(format_args!(
            "  deposits taken         {}",
            self.deposit_count
        ));
        say.line(format_args!(
            "  transaction commitment {}",
            self.tx_commitment
        ));
        say.line(format_args!(
            "  deposit commitment     {}",
            self.deposit_commitment
        ));
        say.line(format_args!(
            "  withdrawal commitment  {}",
            self.withdrawal_commitment
        ));
    }
}

impl Report {
    fn new(
        key: &VerificationKey,
        statement: &Statement,
        bits: &Bits,
        milliseconds: f64,
        bytes: usize,
    ) -> Self {
        Self {
            valid: true,
            profile: key.profile(),
            key: hex::encode(key.id()),
            proven_bits: bits.proven(),
            conjectured_bits: bits.conjectured,
            chain_id: statement.chain_id,
            before: HeadReport::new(&statement.before),
            after: HeadReport::new(&statement.after),
            transactions: statement
                .after
                .tx_count
                .saturating_sub(statement.before.tx_count),
            milliseconds,
            bytes,
        }
    }

    fn say(&self, say: Say) {
        say.line(format_args!(
            "valid: {} transactions of chain {}, verified in {:.1} ms",
            self.transactions, self.chain_id, self.milliseconds
        ));
        say.line(format_args!(
            "security: {:.1} bits proven, {:.1} conjectured (profile {})",
            self.proven_bits, self.conjectured_bits, self.profile
        ));
        say.line(format_args!("verification key {}", self.key));
        self.before.say("before", say);
        self.after.say("after", say);
    }
}
