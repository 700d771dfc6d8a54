//! `verify`: check a validity proof and print its statement.

use std::fmt::Display;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shardfold_aggregator::{
    SettlementProof, SettlementProofError, ValidityProof, VerificationKey, VerifyError, verify,
};
use shardfold_contracts::set::standard;
use shardfold_protocol::data::Evaluation;
use shardfold_protocol::envelope::EnvelopeError;
use shardfold_protocol::head::{Head, Statement};
use shardfold_recursion::profile::Profile;

use super::params::{self, ProfileBits};
use super::{allow, hex as digest_hex, settlement};
use crate::args::VerifyArgs;
use crate::contracts;
use crate::output::{Printer, read_file, warn};

/// The keys of the circuits that this binary builds, made by `shardfold key`.
const BUILT_IN: [&[u8]; 2] = [
    include_bytes!("../../keys/proven-100.key"),
    include_bytes!("../../keys/conjectured-100.key"),
];

/// Runs the command.
pub fn run(args: &VerifyArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let place = args.proof.display();
    let bytes = read_file(&args.proof, ValidityProof::MAX_BYTES)?;
    let verified = match SettlementProof::from_bytes(&bytes) {
        Ok(proof) => settlement::verify(&proof, args.key.as_deref(), args.unsound)
            .with_context(|| format!("{place} does not verify")),
        // What is marked as something else is looked at as a validity proof.
        Err(SettlementProofError(
            EnvelopeError::Magic { .. }
            | EnvelopeError::TruncatedHeader { .. }
            | EnvelopeError::WrongKind { .. },
        )) => verify_validity(&bytes, args),
        Err(error) => Err(error).with_context(|| format!("cannot use the proof {place}")),
    }?;
    let key = &verified.key;
    let claim = Claim::new(key, &args.trust_key)?;
    if let Some(least) = args.min_security {
        claim
            .demand(least, key)
            .with_context(|| format!("{place} verifies, but is refused"))?;
    }
    if key.profile == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let report = Report::new(&verified, &claim, bytes.len())?;
    report.print(printer);
    printer.object(&report)
}

/// A proof that verifies.
pub struct Verified {
    pub key: KnownKey,
    pub statement: Statement,
    /// Of a settlement proof: its batch's differences at a point.
    pub evaluation: Option<Evaluation>,
    pub milliseconds: f64,
}

/// What is known of a key, of validity proofs or of settlement proofs.
pub struct KnownKey {
    pub profile: Profile,
    pub id: [u8; 32],
    pub is_built_in: bool,
}

/// Verifies the bytes of a validity proof.
fn verify_validity(bytes: &[u8], args: &VerifyArgs) -> Result<Verified> {
    let place = args.proof.display();
    let proof = ValidityProof::from_bytes(bytes)
        .with_context(|| format!("cannot use the proof {place}"))?;
    let keys = keys(args.key.as_deref())?;
    for key in &keys {
        allow(profile_of(key)?, args.unsound)?;
    }
    let start = Instant::now();
    let (key, statement) =
        verify_under_any(&keys, &proof).with_context(|| format!("{place} does not verify"))?;
    Ok(Verified {
        key: KnownKey {
            profile: profile_of(&key)?,
            id: key.id(),
            is_built_in: built_in_keys()?.contains(&key),
        },
        statement,
        evaluation: None,
        milliseconds: start.elapsed().as_secs_f64() * 1000.0,
    })
}

/// The profile that a key names.
pub fn profile_of(key: &VerificationKey) -> Result<Profile> {
    Profile::named(key.profile()).context("the key's profile is unknown")
}

/// The key that the user names, or those that are built in.
pub fn keys(named: Option<&Path>) -> Result<Vec<VerificationKey>> {
    if let Some(path) = named {
        let bytes = read_file(path, ValidityProof::MAX_BYTES)?;
        let key = VerificationKey::from_bytes(&bytes)
            .with_context(|| format!("cannot use the key {}", path.display()))?;
        return Ok(vec![key]);
    }
    built_in_keys()
}

/// Returns the keys that this binary holds: those of the standard contracts, and none for others.
pub fn built_in_keys() -> Result<Vec<VerificationKey>> {
    let is_standard = std::ptr::eq(contracts(), standard());
    let keys: &[&[u8]] = if is_standard { &BUILT_IN } else { &[] };
    keys.iter()
        .map(|bytes| VerificationKey::from_bytes(bytes).context("a built-in key is damaged"))
        .collect()
}

/// The key under which the proof verifies, and what it states. A proof has the length of its
/// profile's proofs, so at most one key gets to look at it closely.
pub fn verify_under_any(
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

/// What this build knows of the key under which a proof verifies.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// It is built in: it is that of the circuits of its profile.
    BuiltIn,
    /// The user says that it is that of the circuits of its profile.
    Named,
    /// Its circuit may check anything, or nothing.
    Unknown,
}

/// The security that is claimed for a proof.
struct Claim {
    standing: Standing,
    /// Of the profile that the key names; none if the key is unknown.
    bits: Option<ProfileBits>,
}

impl Claim {
    fn new(key: &KnownKey, trusted: &[[u8; 32]]) -> Result<Self> {
        let standing = if key.is_built_in {
            Standing::BuiltIn
        } else if trusted.contains(&key.id) {
            Standing::Named
        } else {
            Standing::Unknown
        };
        let bits = match standing {
            Standing::Unknown => None,
            _ => Some(params::bits(key.profile)?),
        };
        Ok(Self { standing, bits })
    }

    /// Fails if fewer proven bits are claimed, or none.
    fn demand(&self, least: u32, key: &KnownKey) -> Result<()> {
        let Some(bits) = &self.bits else {
            let id = hex::encode(key.id);
            bail!(
                "this build does not know the key {id}, which names the profile {}: no security \
                 is claimed, {least} proven bits are asked for; if you know that the key is that \
                 of this profile's circuits, name it with --trust-key",
                key.profile.name()
            );
        };
        let proven = bits.proven();
        if proven < f64::from(least) {
            bail!(
                "the profile {} gives {proven:.1} proven bits, {least} are asked for",
                key.profile.name()
            );
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Report {
    valid: bool,
    /// The profile that the key names.
    profile: &'static str,
    key: String,
    key_known: Standing,
    /// By unique decoding or BCHKS25, layer by layer; none if the key is unknown.
    proven_bits: Option<f64>,
    conjectured_bits: Option<f64>,
    chain_id: u64,
    before: HeadReport,
    after: HeadReport,
    transactions: u64,
    /// Of a settlement proof.
    data: Option<DataReport>,
    milliseconds: f64,
    bytes: usize,
}

/// What a batch changes, as a polynomial over the scalar field of BLS12-381, at a point.
#[derive(Serialize)]
struct DataReport {
    point: String,
    value: String,
}

impl DataReport {
    fn new(evaluation: &Evaluation) -> Self {
        let hex = |words: &[u64]| {
            let digits = words.iter().rev().map(|word| format!("{word:016x}"));
            digits.collect::<String>()
        };
        Self {
            point: hex(&evaluation.point),
            value: hex(&evaluation.value),
        }
    }
}

#[derive(Serialize)]
struct HeadReport {
    state_root: String,
    tx_count: u64,
    time: u64,
    queue_count: u64,
    queue_commitment: String,
    withdrawal_count: u64,
    withdrawal_commitment: String,
    data_commitment: String,
    tx_commitment: String,
}

impl HeadReport {
    fn new(head: &Head) -> Self {
        Self {
            state_root: digest_hex(&head.state_root),
            tx_count: head.tx_count,
            time: head.time,
            queue_count: head.queue_count,
            queue_commitment: digest_hex(&head.queue_commitment),
            withdrawal_count: head.withdrawal_count,
            withdrawal_commitment: digest_hex(&head.withdrawal_commitment),
            data_commitment: digest_hex(&head.data_commitment),
            tx_commitment: digest_hex(&head.tx_commitment),
        }
    }

    fn print(&self, name: &str, printer: Printer) {
        let lines: [(&str, &dyn Display); 9] = [
            ("state root", &self.state_root),
            ("transactions", &self.tx_count),
            ("time", &self.time),
            ("queue items taken", &self.queue_count),
            ("queue commitment", &self.queue_commitment),
            ("withdrawals", &self.withdrawal_count),
            ("withdrawal commitment", &self.withdrawal_commitment),
            ("data commitment", &self.data_commitment),
            ("transaction commitment", &self.tx_commitment),
        ];
        printer.line(format_args!("{name}:"));
        for (name, value) in lines {
            printer.line(format_args!("  {name:<22} {value}"));
        }
    }
}

impl Report {
    /// Fails if the statement is none that circuits of this system prove.
    fn new(verified: &Verified, claim: &Claim, bytes: usize) -> Result<Self> {
        let (key, statement) = (&verified.key, &verified.statement);
        let (before, after) = (&statement.before, &statement.after);
        let transactions = after.tx_count.checked_sub(before.tx_count);
        let transactions = transactions.with_context(|| {
            format!(
                "the proof states {} transactions after {} before: its key {} is not that of \
                 circuits of this system",
                after.tx_count,
                before.tx_count,
                hex::encode(key.id)
            )
        })?;
        Ok(Self {
            valid: true,
            profile: key.profile.name(),
            key: hex::encode(key.id),
            key_known: claim.standing,
            proven_bits: claim.bits.as_ref().map(ProfileBits::proven),
            conjectured_bits: claim.bits.as_ref().map(ProfileBits::conjectured),
            chain_id: statement.chain_id,
            before: HeadReport::new(before),
            after: HeadReport::new(after),
            transactions,
            data: verified.evaluation.as_ref().map(DataReport::new),
            milliseconds: verified.milliseconds,
            bytes,
        })
    }

    fn print(&self, printer: Printer) {
        match (self.proven_bits, self.conjectured_bits) {
            (Some(proven), Some(conjectured)) => self.say_bits(proven, conjectured, printer),
            _ => {
                printer.line(format_args!(
                    "valid under the key {}, which this build does not know: no security is \
                     claimed",
                    self.key
                ));
                printer.line(format_args!(
                    "the proof states {} transactions of chain {}, verified in {:.1} ms",
                    self.transactions, self.chain_id, self.milliseconds
                ));
            }
        }
        self.before.print("before", printer);
        self.after.print("after", printer);
        if let Some(DataReport { point, value }) = &self.data {
            printer.line(format_args!("data at {point}:"));
            printer.line(format_args!("  {value}"));
        }
    }

    fn say_bits(&self, proven: f64, conjectured: f64, printer: Printer) {
        let condition = match self.key_known {
            Standing::Named => "if the key is that of this profile, ",
            _ => "",
        };
        printer.line(format_args!(
            "valid: {} transactions of chain {}, verified in {:.1} ms",
            self.transactions, self.chain_id, self.milliseconds
        ));
        printer.line(format_args!(
            "security of the profile {}: {condition}{proven:.1} bits proven by unique decoding or \
             BCHKS25, {conjectured:.1} conjectured",
            self.profile
        ));
        printer.line(format_args!("verification key {}", self.key));
    }
}
