//! `state`: the ledger in a database.

mod check;
mod records;

use std::fmt::Display;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::head::Head;
use shardfold_protocol::state::StateFile;
use shardfold_store::{Applied, FILE, Store, View};

use super::hex;
use super::input::{cannot_use, read_content, size};
use crate::args::{ExportArgs, HistoryArgs, StateCommand, StateImportArgs};
use crate::output::{Places, Printer, check_folder, peak_memory_bytes};

/// The bytes of a vault in a file: index, owner, asset, balance and nonce.
const VAULT_BYTES: u64 = 4 + 32 + 8 + 8 + 8;

/// Runs the command.
pub fn run(command: &StateCommand) -> Result<()> {
    match command {
        StateCommand::Import(args) => import(args),
        StateCommand::Export(args) => export(args),
        StateCommand::Get(args) => records::get(args),
        StateCommand::Prove(args) => records::prove(args),
        StateCommand::Check(args) => check::run(args),
        StateCommand::History(args) => history(args),
    }
}

/// The database in a folder, for reading.
fn open(folder: &Path) -> Result<View> {
    View::open(folder).with_context(|| cannot_use(folder))
}

/// What `import` and `export` print for machines.
#[derive(Serialize)]
struct Moved {
    vaults: usize,
    chain_id: u64,
    head: Head,
    seconds: f64,
    peak_memory_bytes: Option<u64>,
}

impl Moved {
    fn new(vaults: usize, view: &View, start: Instant) -> Self {
        Self {
            vaults,
            chain_id: view.chain_id(),
            head: *view.head(),
            seconds: start.elapsed().as_secs_f64(),
            peak_memory_bytes: peak_memory_bytes(),
        }
    }

    fn print(&self, place: &dyn Display, printer: Printer) {
        printer.line(format_args!(
            "{place}: {} vaults after transaction {}, in {:.2} s",
            self.vaults, self.head.tx_count, self.seconds
        ));
        printer.line(format_args!("state root {}", hex(&self.head.state_root)));
    }
}

fn import(args: &StateImportArgs) -> Result<()> {
    let printer = Printer::new(args.database.json);
    let start = Instant::now();
    let folder = &args.database.state;
    // A database takes more bytes than the binary form, and that a fraction of the JSON one.
    check_folder(folder, size(&args.file) / 8)?;
    let file: StateFile = read_content("state", &args.file)?;
    let vaults = file.vaults.len();
    let store = Store::create(folder, &file)
        .with_context(|| format!("cannot make a state in {}", folder.display()))?;
    let view = store.view().with_context(|| cannot_use(folder))?;
    let moved = Moved::new(vaults, &view, start);
    moved.print(&folder.display(), printer);
    printer.object(&moved)
}

fn export(args: &ExportArgs) -> Result<()> {
    let start = Instant::now();
    let folder = &args.database.state;
    let view = open(folder)?;
    let mut places = Places::new([folder.join(FILE)]);
    let bytes = view.record_count()?.saturating_mul(VAULT_BYTES);
    let output = places.output(&args.output, bytes)?;
    let printer = places.printer(args.database.json)?;
    let file = view.to_file().with_context(|| cannot_use(folder))?;
    let is_json = args.output.extension().is_some_and(|end| end == "json");
    let bytes = if is_json {
        files::to_json(&file)?
    } else {
        files::to_binary(&file)?
    };
    output.write(&bytes)?;
    let moved = Moved::new(file.vaults.len(), &view, start);
    moved.print(&output, printer);
    printer.object(&moved)
}

/// What `history` prints for machines.
#[derive(Serialize)]
struct History {
    chain_id: u64,
    imported: Head,
    batches: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    batch: String,
    accepted: u64,
    rejected: u64,
    after: Head,
}

impl From<&Applied> for Entry {
    fn from(applied: &Applied) -> Self {
        Self {
            batch: applied.batch.to_string(),
            accepted: applied.counts.accepted,
            rejected: applied.counts.rejected,
            after: applied.after,
        }
    }
}

fn history(args: &HistoryArgs) -> Result<()> {
    let printer = Printer::new(args.database.json);
    let folder = &args.database.state;
    let view = open(folder)?;
    let history = view.history().with_context(|| cannot_use(folder))?;
    let imported = *view.imported();
    printer.answer(format_args!(
        "imported after transaction {}: state root {}",
        imported.tx_count,
        hex(&imported.state_root)
    ))?;
    for (number, applied) in (1..).zip(&history) {
        let Applied {
            before,
            after,
            counts,
            ..
        } = applied;
        printer.answer(format_args!(
            "{number}: transactions {} to {}, {} left out: state root {} (batch {})",
            before.tx_count,
            after.tx_count,
            counts.rejected,
            hex(&after.state_root),
            applied.batch
        ))?;
    }
    printer.object(&History {
        chain_id: view.chain_id(),
        imported,
        batches: history.iter().map(Entry::from).collect(),
    })
}
