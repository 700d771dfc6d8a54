//! A batch and the state that it starts from: in a file, or in a database, which then moves on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::contracts;
use anyhow::{Context, Result};
use shardfold_executor::outcome::{Outcome, check_start};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files::{self, FileContent, FileError};
use shardfold_protocol::record::Index;
use shardfold_protocol::state::{State, StateFile};
use shardfold_store::{Applied, BatchDigest, FILE, Store, View};

use super::{Stages, counts, hex};
use crate::args::RunArgs;
use crate::exit::{cannot, usage};
use crate::output::{Printer, STANDARD, read_file};

/// What there is to do about a batch.
pub enum Input {
    /// It can be executed.
    Ready(Box<Ready>),
    /// It is part of the database's ledger already.
    Applied(Box<Applied>),
}

/// A batch and the state on which it can be executed.
pub struct Ready {
    /// The batch.
    pub batch: Batch,
    /// The state, or the part of it that the batch can touch.
    pub state: State,
    /// Where the state comes from, if not from a file.
    pub database: Option<Database>,
}

/// A database that a batch will be applied to.
pub struct Database {
    folder: PathBuf,
    store: Store,
    digest: BatchDigest,
}

impl Database {
    /// Moves the database on: on return the batch is on disk.
    pub fn apply(&mut self, batch: &Batch, outcome: &Outcome, after: &State) -> Result<Applied> {
        let changed: Vec<Index> = outcome.changes.iter().map(|&(index, _)| index).collect();
        self.store
            .apply(self.digest, &batch.before, after, &changed, counts(outcome))
            .with_context(|| {
                format!(
                    "cannot apply the batch to the state {}, which is now as before or has the \
                     whole batch: run the command again to see",
                    self.folder.display()
                )
            })
    }

    /// Returns the SHA-256 of the batch in its binary form.
    pub const fn digest(&self) -> BatchDigest {
        self.digest
    }
}

/// Names the database of an error.
pub fn cannot_use(folder: &Path) -> String {
    format!("cannot use the state {}", folder.display())
}

/// Reads a batch and its state, timing it.
pub fn read(path: &Path, args: &RunArgs, stages: &mut Stages) -> Result<Input> {
    let start = Instant::now();
    let input = read_with(path, args.state.as_deref(), from_database)?;
    stages.insert("read", start.elapsed().as_secs_f64());
    Ok(input)
}

/// Reads a batch and its state; a state database is opened for reading only, and will not move on.
///
/// # Errors
/// Also if the database has the batch already: its ledger does not start before it any more.
pub fn read_only(path: &Path, state: Option<&Path>) -> Result<Ready> {
    let database = |batch, folder: &Path| {
        let digest = BatchDigest::of(&batch)?;
        from_view(batch, digest, &View::open(folder)?)
    };
    match read_with(path, state, database)? {
        Input::Ready(ready) => Ok(*ready),
        Input::Applied(_) => Err(cannot(format!(
            "{} was already applied to this state: name the state before it with --state FILE",
            path.display()
        ))),
    }
}

/// `database` reads the state from a folder.
fn read_with(
    path: &Path,
    state: Option<&Path>,
    database: impl Fn(Batch, &Path) -> Result<Input>,
) -> Result<Input> {
    if path == Path::new(STANDARD) && state == Some(path) {
        return Err(usage(
            "the batch and its state cannot both be standard input",
        ));
    }
    let batch: Batch = read_content("batch", path)?;
    let state = state_path(path, state)?;
    Ok(if state != Path::new(STANDARD) && state.is_dir() {
        database(batch, &state).with_context(|| cannot_use(&state))?
    } else {
        let file: StateFile = read_content("state", &state)?;
        let state = State::try_from(&file)
            .with_context(|| format!("{} holds no valid state", state.display()))?;
        Input::Ready(Box::new(Ready {
            batch,
            state,
            database: None,
        }))
    })
}

fn from_database(batch: Batch, folder: &Path) -> Result<Input> {
    let digest = BatchDigest::of(&batch)?;
    let store = Store::open(folder)?;
    let mut input = from_view(batch, digest, &store.view()?)?;
    if let Input::Ready(ready) = &mut input {
        ready.database = Some(Database {
            folder: folder.to_owned(),
            store,
            digest,
        });
    }
    Ok(input)
}

/// What there is to do about a batch on a ledger as it stands.
fn from_view(batch: Batch, digest: BatchDigest, view: &View) -> Result<Input> {
    if let Some(applied) = view.applied(&digest)? {
        return Ok(Input::Applied(Box::new(applied)));
    }
    check_start(view.chain_id(), view.head(), &batch)?;
    let state = view.part_of(contracts().indices(&batch.transactions))?;
    Ok(Input::Ready(Box::new(Ready {
        batch,
        state,
        database: None,
    })))
}

/// Returns the files that a run on a batch reads.
pub fn paths(batch: &Path, state: Option<&Path>) -> Vec<PathBuf> {
    let mut paths = vec![batch.to_owned()];
    // That there is no state is said where it is read.
    if let Ok(state) = state_path(batch, state) {
        paths.push(state.join(FILE));
        paths.push(state);
    }
    paths
}

/// Returns the size of a file, if it is one; nothing much can be said of the others.
pub fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

/// Reads a file of this system, naming it in every error.
pub fn read_content<T: FileContent>(what: &str, path: &Path) -> Result<T> {
    let read = if path == Path::new(STANDARD) {
        files::from_bytes(&read_file(path, T::MAX_BYTES)?)
    } else {
        files::read(path)
    };
    read.map_err(|error| match error {
        // The path is named below, whatever the error.
        FileError::Io { source, .. } => source.into(),
        other => anyhow::Error::new(other),
    })
    .with_context(|| format!("cannot read the {what} {}", path.display()))
}

/// The state named by the user, or the genesis beside the batch.
fn state_path(batch: &Path, state: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = state {
        return Ok(path.to_owned());
    }
    let beside = batch.with_file_name("genesis.bin");
    if beside.exists() {
        return Ok(beside);
    }
    let json = batch.with_file_name("genesis.json");
    if json.exists() {
        return Ok(json);
    }
    Err(cannot(format!(
        "there is no {} beside the batch: name the state that it starts from with --state",
        beside.display()
    )))
}

/// Says that a batch need not be applied again.
pub fn print_applied(path: &Path, applied: &Applied, printer: Printer) {
    let Applied { before, after, .. } = applied;
    printer.line(format_args!(
        "{} was already applied, from transaction {} with state root {} to transaction {}",
        path.display(),
        before.tx_count,
        hex(&before.state_root),
        after.tx_count,
    ));
}
