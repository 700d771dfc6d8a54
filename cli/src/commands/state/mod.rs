//! `state`: the ledger in a database.

mod check;
mod records;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::head::Head;
use shardfold_protocol::state::StateFile;
use shardfold_store::{Applied, Store, View};

use super::hex;
use super::input::{cannot_use, check_output, read_content};
use crate::args::{ExportArgs, HistoryArgs, StateCommand, StateImportArgs};
use crate::output::{Say, peak_memory_bytes, write_file};

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

    fn say(&self, place: &Path, say: Say) {
        say.line(format_args!(
            "{}: {} vaults after transaction {}, in {:.2} s",
            place.display(),
            self.vaults,
            self.head.tx_count,
            self.seconds
        ));
        say.line(format_args!("state root {}", hex(&self.head.state_root)));
    }
}

fn import(args: &StateImportArgs) -> Result<()> {
    let say = Say::new(args.database.json);
    let start = Instant::now();
    let folder = &args.database.state;
    let file: StateFile = read_content("state", &args.file)?;
    let vaults = file.vaults.len();
    let store = Store::create(folder, &file)
        .with_context(|| format!("cannot make a state in {}", folder.display()))?;
    let view = store.view().with_context(|| cannot_use(folder))?;
    let moved = Moved::new(vaults, &view, start);
    moved.say(folder, say);
    say.object(&moved)
}

fn export(args: &ExportArgs) -> Result<()> {
    let say = Say::new(args.database.json);
    let start = Instant::now();
    let folder = &args.database.state;
    check_output(&args.output, Some(folder))?;
    let view = open(folder)?;
    let file = view.to_file().with_context(|| cannot_use(folder))?;
    let is_json = args.output.extension().is_some_and(|end| end == "json");
    let bytes = if is_json {
        files::to_json(&file)?
    } else {
        files::to_binary(&file)?
    };
    write_file(&args.output, &bytes)?;
    let moved = Moved::new(file.vaults.len(), &view, start);
    moved.say(&args.output, say);
    say.object(&moved)
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
    let say = Say::new(args.database.json);
    let folder = &args.database.state;
    let view = open(folder)?;
    let history = view.history().with_context(|| cannot_use(folder))?;
    let imported = *view.imported();
    say.answer(format_args!(
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
        say.answer(format_args!(
            "{number}: transactions {} to {}, {} left out: state root {} (batch {})",
            before.tx_count,
            after.tx_count,
            counts.rejected,
            hex(&after.state_root),
            applied.batch
        ))?;
    }
    say.object(&History {
        chain_id: view.chain_id(),
        imported,
        batches: history.iter().map(Entry::from).collect(),
    })
}
