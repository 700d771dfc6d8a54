//! `inspect`: what a file of this system holds.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shardfold_aggregator::{
    KeyError, ProofError, SettlementKey, SettlementKeyError, SettlementProof, SettlementProofError,
    ValidityProof, VerificationKey,
};
use shardfold_contracts::shown::RecordKind;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::envelope::EnvelopeError;
use shardfold_protocol::files::{self, FileContent, FileError};
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::witness::ShardWitness;
use shardfold_settlement::batch::SettledBatch;

use super::hex as digest_hex;
use super::record::RecordReport;
use super::settlement::built_in_keys as settlement_keys;
use super::verify::built_in_keys;
use crate::args::InspectArgs;
use crate::output::{Printer, read_file};

/// Lines of name and value, in order.
#[derive(Serialize)]
struct Report {
    kind: &'static str,
    bytes: usize,
    #[serde(flatten)]
    facts: BTreeMap<&'static str, String>,
    /// Of a state those that are no vaults, of a record proof its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<RecordReport>,
}

/// How many records people see.
const SHOWN: usize = 20;

/// Runs the command.
pub fn run(args: &InspectArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let place = args.file.display();
    let bytes = read_file(&args.file, StateFile::MAX_BYTES)?;
    let found = inspect(&bytes).with_context(|| format!("{place} cannot be read"))?;
    let Inspected {
        kind,
        facts,
        records,
    } = found;
    let report = Report {
        kind,
        bytes: bytes.len(),
        facts,
        records,
    };
    printer.line(format_args!("{place}: {kind}, {} bytes", report.bytes));
    for (name, value) in &report.facts {
        printer.line(format_args!("  {name:<20} {value}"));
    }
    for record in report.records.iter().take(SHOWN) {
        printer.line(format_args!("  {}", record.line()));
    }
    if report.records.len() > SHOWN {
        let more = report.records.len() - SHOWN;
        printer.line(format_args!("  ... and {more} more records"));
    }
    printer.object(&report)
}

type Facts = BTreeMap<&'static str, String>;

/// What a file is and says.
struct Inspected {
    kind: &'static str,
    facts: Facts,
    records: Vec<RecordReport>,
}

impl Inspected {
    fn new(kind: &'static str, facts: Facts) -> Self {
        let records = vec![];
        Self {
            kind,
            facts,
            records,
        }
    }
}

fn inspect(bytes: &[u8]) -> Result<Inspected> {
    if let Some(batch) = content::<Batch>(bytes)? {
        return Ok(Inspected::new("batch", batch_facts(&batch)));
    }
    if let Some(state) = content::<StateFile>(bytes)? {
        return state_facts(&state);
    }
    if let Some(witness) = content::<ShardWitness>(bytes)? {
        return Ok(Inspected::new("shard witness", witness_facts(&witness)));
    }
    if let Some(inclusion) = content::<Inclusion>(bytes)? {
        return Ok(inclusion_facts(&inclusion));
    }
    if let Some(changes) = content::<SettledBatch>(bytes)? {
        return changes_facts(&changes);
    }
    if let Some(inspected) = settlement(bytes)? {
        return Ok(inspected);
    }
    match VerificationKey::from_bytes(bytes) {
        Ok(key) => {
            let known = built_in_keys()?.contains(&key);
            let facts = [
                ("profile", key.profile().to_owned()),
                ("id", hex::encode(key.id())),
                ("known to this build", known.to_string()),
            ];
            return Ok(Inspected::new("verification key", facts.into()));
        }
        Err(KeyError::Envelope(EnvelopeError::WrongKind { .. } | EnvelopeError::Magic { .. })) => {}
        Err(error) => return Err(error.into()),
    }
    match ValidityProof::from_bytes(bytes) {
        Ok(_) => {
            let hint = "`shardfold verify` checks it and prints its statement".to_owned();
            Ok(Inspected::new(
                "validity proof",
                [("statement", hint)].into(),
            ))
        }
        Err(ProofError(EnvelopeError::Magic { .. })) => bail!("it is no file of shardfold"),
        Err(error) => Err(error.into()),
    }
}

fn changes_facts(changes: &SettledBatch) -> Result<Inspected> {
    changes.check()?;
    let SettledBatch {
        statement,
        withdrawals,
        differences,
    } = changes;
    let (before, after) = (&statement.before, &statement.after);
    let facts = [
        ("chain id", statement.chain_id.to_string()),
        (
            "transactions",
            after.tx_count.saturating_sub(before.tx_count).to_string(),
        ),
        ("withdrawals", withdrawals.len().to_string()),
        ("elements published", differences.len().to_string()),
        ("state root before", digest_hex(&before.state_root)),
        ("state root after", digest_hex(&after.state_root)),
    ];
    Ok(Inspected::new("changes of a batch", facts.into()))
}

/// A settlement proof or its key; an error if it is one and is damaged.
fn settlement(bytes: &[u8]) -> Result<Option<Inspected>> {
    match SettlementKey::from_bytes(bytes) {
        Ok(key) => {
            let known = settlement_keys()?.contains(&key);
            let facts = [
                ("profile", key.profile().name().to_owned()),
                ("id", hex::encode(key.id())),
                ("known to this build", known.to_string()),
            ];
            return Ok(Some(Inspected::new("settlement key", facts.into())));
        }
        Err(SettlementKeyError::Envelope(
            EnvelopeError::WrongKind { .. } | EnvelopeError::Magic { .. },
        )) => {}
        Err(error) => return Err(error.into()),
    }
    match SettlementProof::from_bytes(bytes) {
        Ok(proof) => {
            let hint = "`shardfold verify` checks it and prints its statement".to_owned();
            let facts = [
                ("bytes for the chain", proof.calldata().len().to_string()),
                ("statement", hint),
            ];
            Ok(Some(Inspected::new("settlement proof", facts.into())))
        }
        Err(SettlementProofError(
            EnvelopeError::WrongKind { .. } | EnvelopeError::Magic { .. },
        )) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The content if the file is of this kind, an error if it is and is damaged.
fn content<T: FileContent>(bytes: &[u8]) -> Result<Option<T>> {
    match files::from_bytes(bytes) {
        Ok(content) => Ok(Some(content)),
        Err(
            FileError::Envelope(EnvelopeError::WrongKind { .. })
            | FileError::WrongFormat { .. }
            | FileError::UnknownForm { .. },
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn batch_facts(batch: &Batch) -> Facts {
    let mut facts = transactions_facts(&batch.transactions);
    facts.insert("chain id", batch.chain_id.to_string());
    facts.insert(
        "starts after",
        format!("{} transactions", batch.before.tx_count),
    );
    facts.insert("time", batch.time.to_string());
    facts.insert("state root before", digest_hex(&batch.before.state_root));
    facts
}

fn transactions_facts(transactions: &[Transaction]) -> Facts {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for transaction in transactions {
        *counts.entry(transaction.kind.name()).or_default() += 1;
    }
    let counts = counts.iter().map(|(kind, count)| format!("{count} {kind}"));
    let kinds = counts.collect::<Vec<_>>().join(", ");
    [
        ("transactions", transactions.len().to_string()),
        ("of these", kinds),
    ]
    .into()
}

fn state_facts(file: &StateFile) -> Result<Inspected> {
    let state = State::try_from(file)?;
    let others = file.records.iter();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in others.clone() {
        let kind = RecordKind::of(&entry.record).map_or("of another kind", |kind| kind.name);
        *kinds.entry(kind).or_default() += 1;
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let mut facts: Facts = [
        ("chain id", file.chain_id.to_string()),
        ("vaults", file.vaults.len().to_string()),
        ("transactions", state.head().tx_count.to_string()),
        ("time", state.head().time.to_string()),
        ("state root", digest_hex(&state.head().state_root)),
    ]
    .into();
    if !kinds.is_empty() {
        facts.insert("other records", kinds.join(", "));
    }
    Ok(Inspected {
        kind: "state",
        facts,
        records: others
            .map(|entry| RecordReport::new(entry.index, entry.record))
            .collect(),
    })
}

fn witness_facts(witness: &ShardWitness) -> Facts {
    let mut facts = transactions_facts(&witness.transactions);
    let shape = match witness.shape {
        shape if shape.is_bounded() => format!("{} transactions", shape.transactions()),
        _ => "beyond all bounds".to_owned(),
    };
    facts.insert("shape", shape);
    facts.insert("records", witness.records.len().to_string());
    facts.insert("siblings", witness.siblings.len().to_string());
    facts.insert("time", witness.statement.after.time.to_string());
    facts.insert(
        "state root before",
        digest_hex(&witness.statement.before.state_root),
    );
    facts.insert(
        "state root after",
        digest_hex(&witness.statement.after.state_root),
    );
    facts
}

fn inclusion_facts(inclusion: &Inclusion) -> Inspected {
    let is_valid = inclusion.proof.check(&inclusion.head).is_ok();
    let facts = [
        ("chain id", inclusion.chain_id.to_string()),
        ("index", inclusion.proof.index.to_string()),
        ("leads to its head", is_valid.to_string()),
        ("transactions", inclusion.head.tx_count.to_string()),
        ("time", inclusion.head.time.to_string()),
        ("state root", digest_hex(&inclusion.head.state_root)),
    ];
    Inspected {
        kind: "record proof",
        facts: facts.into(),
        records: vec![RecordReport::new(
            inclusion.proof.index,
            inclusion.proof.record,
        )],
    }
}
