//! `state check`: a record proof, or a whole database.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::envelope::EnvelopeError;
use shardfold_protocol::files::{self, FileError};
use shardfold_protocol::head::Head;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::{State, StateFile};
use shardfold_store::{Store, StoreError, View};

use super::open;
use crate::args::CheckArgs;
use crate::commands::hex;
use crate::commands::input::{cannot_use, read_content};
use crate::commands::record::RecordReport;
use crate::output::Printer;

/// Runs the command.
pub fn run(args: &CheckArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    // The command line has --state unless it has --head.
    let state = || args.state.as_deref().context("found no --state");
    match (&args.proof, &args.head) {
        (Some(proof), Some(head)) => check_proof(proof, &Known::file(head)?, printer),
        (Some(proof), None) => check_proof(proof, &Known::database(state()?)?, printer),
        (None, _) => check_database(state()?, printer),
    }
}

/// Heads that a proof may be for.
struct Known {
    chain_id: u64,
    /// The current one last.
    heads: Vec<Head>,
}

impl Known {
    fn database(folder: &Path) -> Result<Self> {
        let view = open(folder)?;
        let history = view.history().with_context(|| cannot_use(folder))?;
        let first = *view.imported();
        let heads = history.iter().map(|applied| applied.after);
        Ok(Self {
            chain_id: view.chain_id(),
            heads: std::iter::once(first).chain(heads).collect(),
        })
    }

    /// That of a state, or that at which a batch starts.
    fn file(path: &Path) -> Result<Self> {
        let (chain_id, head) = match files::read::<Batch>(path) {
            Ok(batch) => (batch.chain_id, batch.before),
            Err(
                FileError::Envelope(EnvelopeError::WrongKind { .. })
                | FileError::WrongFormat { .. },
            ) => {
                let file: StateFile = read_content("state", path)?;
                let state = State::try_from(&file)
                    .with_context(|| format!("{} holds no valid state", path.display()))?;
                (state.chain_id(), *state.head())
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the head of {}", path.display()));
            }
        };
        Ok(Self {
            chain_id,
            heads: vec![head],
        })
    }
}

/// What is printed for machines of a proof.
#[derive(Serialize)]
struct ProofReport {
    valid: bool,
    /// Whether the proof is for the head at which the ledger stands, not an earlier one.
    is_current: bool,
    head: Head,
    #[serde(flatten)]
    record: RecordReport,
}

fn check_proof(path: &Path, known: &Known, printer: Printer) -> Result<()> {
    let place = path.display();
    let inclusion: Inclusion = read_content("record proof", path)?;
    let Inclusion {
        chain_id,
        head,
        proof,
    } = &inclusion;
    proof
        .check(head)
        .with_context(|| format!("{place} proves nothing"))?;
    ensure!(
        *chain_id == known.chain_id,
        "{place} is for chain {chain_id}, expected {}",
        known.chain_id
    );
    let Some(at) = known.heads.iter().position(|known| known == head) else {
        bail!(
            "{place} is for a head that is not known: after transaction {}, with state root {}",
            head.tx_count,
            hex(&head.state_root)
        );
    };
    let report = ProofReport {
        valid: true,
        is_current: at + 1 == known.heads.len(),
        head: *head,
        record: RecordReport::new(proof.index, proof.record),
    };
    let age = if report.is_current {
        "the current head"
    } else {
        "an earlier head"
    };
    printer.answer(format_args!(
        "valid for {age}, after transaction {}:",
        head.tx_count
    ))?;
    printer.answer(format_args!("{}", report.record.line()))?;
    printer.object(&report)
}

/// What is printed for machines of a database.
#[derive(Serialize)]
struct DatabaseReport {
    valid: bool,
    records: u64,
    batches: u64,
    head: Head,
    seconds: f64,
}

fn check_database(folder: &Path, printer: Printer) -> Result<()> {
    let start = Instant::now();
    let report = check_all(folder, start).with_context(|| cannot_use(folder))?;
    printer.answer(format_args!(
        "{}: {} records and {} batches are sound, checked in {:.2} s",
        folder.display(),
        report.records,
        report.batches,
        report.seconds
    ))?;
    printer.line(format_args!("state root {}", hex(&report.head.state_root)));
    printer.object(&report)
}

/// Whether a database may be read, but not be opened for writing.
fn is_read_only(error: &StoreError) -> bool {
    let kinds = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    error
        .io_error()
        .is_some_and(|error| kinds.contains(&error.kind()))
}

fn check_all(folder: &Path, start: Instant) -> Result<DatabaseReport> {
    let view = match Store::open(folder) {
        Ok(mut store) => {
            store.check()?;
            store.view()?
        }
        // All but what the engine keeps for writing can be checked without it.
        Err(error) if is_read_only(&error) => {
            let view = View::open(folder)?;
            view.check()?;
            view
        }
        Err(error) => return Err(error.into()),
    };
    Ok(DatabaseReport {
        valid: true,
        records: view.record_count()?,
        batches: view.batches()?,
        head: *view.head(),
        seconds: start.elapsed().as_secs_f64(),
    })
}
