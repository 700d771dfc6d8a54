//! Writing: making a state, and moving it on batch by batch.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTableMetadata as _, WriteTransaction,
};
use shardfold_protocol::folder;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::Index;
use shardfold_protocol::state::{State, StateError, StateFile};
use shardfold_protocol::tree::pages_on_paths;

use crate::guard::{Guarded, guarded};
use crate::hashing::tree_over;
use crate::ledger::{Applied, BatchDigest, Counts, Ledger};
use crate::schema::{self, Table};
use crate::{StoreError, View};

/// The database's name in its folder.
pub const FILE: &str = "state.redb";
/// Its name while an import fills it.
const PARTIAL_FILE: &str = "state.redb.partial";

/// What the database engine may keep in memory, in bytes.
const CACHE_BYTES: usize = 512 << 20;

/// A state that only this process can open.
pub struct Store {
    database: Guarded<Database>,
}

impl Store {
    /// Makes a state of a genesis or a snapshot, in a folder that is not there or is empty.
    /// A run that is interrupted leaves nothing that could be opened: a file
    /// `state.redb.partial`, to be removed before the next run.
    ///
    /// # Errors
    /// A folder with something in it, a file that holds no valid state, or a folder that
    /// cannot be written.
    pub fn create(folder: &Path, file: &StateFile) -> Result<Self, StoreError> {
        guarded(|| {
            file.check()?;
            folder::create(folder).map_err(StoreError::io(folder))?;
            let partial = folder.join(PARTIAL_FILE);
            let empty = new_file(folder, &partial)?;
            // From here on the file is ours: another import finds it and stops.
            let made = check_alone(folder).and_then(|()| {
                fill(folder, empty, file)?;
                let path = folder.join(FILE);
                fs::rename(&partial, &path).map_err(StoreError::io(&path))
            });
            if let Err(error) = made {
                // What is there is of no use; a new run makes it anew.
                let _ = fs::remove_file(&partial);
                return Err(error);
            }
            folder::sync(folder).map_err(StoreError::io(folder))
        })?;
        Self::open(folder)
    }

    /// Opens the state in a folder.
    ///
    /// # Errors
    /// No state, one that another process uses, or one that is damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        guarded(|| {
            let database = options()
                .open(file_in(folder)?)
                .map_err(StoreError::opening(folder))?;
            let database = Guarded::new(database);
            let store = Self { database };
            store.view()?;
            Ok(store)
        })
    }

    /// Returns the ledger as it stands now.
    ///
    /// # Errors
    /// A database that is damaged.
    pub fn view(&self) -> Result<View, StoreError> {
        guarded(|| View::new(&self.database.get()?.begin_read()?))
    }

    /// Moves on by a batch: writes the records that it has `changed`, the tree's pages above
    /// them, the head and the history in one transaction. `after` is the state at the end of
    /// the batch, or the part of it that [`View::part_for`] has given. On return the batch is
    /// on disk. After an error the state is as before, or, if only the end of the commit
    /// failed, it has moved on by the whole batch: [`View::applied`] tells.
    ///
    /// # Errors
    /// A batch that did not start where the state stands, or a database that cannot be written.
    pub fn apply(
        &mut self,
        batch: BatchDigest,
        before: &Head,
        after: &State,
        changed: &[Index],
        counts: Counts,
    ) -> Result<Applied, StoreError> {
        guarded(|| {
            let mut transaction = self.database.get()?.begin_write()?;
            // Opening after a crash takes no walk over the whole database.
            transaction.set_quick_repair(true);
            let mut ledger = schema::read_facts(&transaction.open_table(schema::FACTS)?)?;
            let (found, expected) = (before, &ledger.head);
            if found != expected {
                let (found, expected) = (found.tx_count, expected.tx_count);
                return Err(StoreError::Moved { found, expected });
            }
            ledger.head = *after.head();
            let applied = Applied {
                batch,
                before: *before,
                after: ledger.head,
                counts,
            };
            write_state(&transaction, after, changed)?;
            append(&transaction, &applied)?;
            schema::write_facts(&transaction, &ledger)?;
            transaction.commit()?;
            Ok(applied)
        })
    }

    /// Checks everything that [`View::check`] does, and before it that the database's file is
    /// as the engine has written it. No [`View`] of it may be open.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn check(&mut self) -> Result<(), StoreError> {
        guarded(|| match self.database.get_mut()?.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Damaged),
            Err(error) => Err(StoreError::Database(Box::new(error.into()))),
        })?;
        self.view()?.check()
    }
}

/// How the database is opened.
pub(crate) fn options() -> Builder {
    let mut options = Builder::new();
    options.set_cache_size(CACHE_BYTES);
    options
}

/// The database in a folder.
pub(crate) fn file_in(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(FILE);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(StoreError::NoState {
            folder: folder.to_owned(),
        }),
        Err(source) => Err(StoreError::Io { path, source }),
    }
}

/// Makes the file of an import that no other one has made.
fn new_file(folder: &Path, path: &Path) -> Result<File, StoreError> {
    let made = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path);
    made.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => StoreError::NotEmpty {
            folder: folder.to_owned(),
            entry: PARTIAL_FILE.into(),
        },
        _ => StoreError::io(path)(source),
    })
}

/// Whether there is nothing in a folder but the file of an import.
fn check_alone(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(StoreError::io(folder))? {
        let entry = entry.map_err(StoreError::io(folder))?.file_name();
        if entry != PARTIAL_FILE {
            return Err(StoreError::NotEmpty {
                folder: folder.to_owned(),
                entry: entry.into(),
            });
        }
    }
    Ok(())
}

/// Writes a state to an empty file.
fn fill(folder: &Path, empty: File, file: &StateFile) -> Result<(), StoreError> {
    let backend = FileBackend::new(empty);
    let database = backend
        .and_then(|backend| options().create_with_backend(backend))
        .map_err(StoreError::opening(folder))?;
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    let root = write_records(&transaction, file)?;
    let head = file.head.unwrap_or_else(|| Head::genesis(root));
    if root != head.state_root {
        let (found, expected) = (root, head.state_root);
        return Err(StateError::Root { found, expected }.into());
    }
    let ledger = Ledger {
        chain_id: file.chain_id,
        imported: head,
        head,
    };
    transaction.open_table(schema::HISTORY)?;
    transaction.open_table(schema::BATCHES)?;
    schema::write_facts(&transaction, &ledger)?;
    transaction.commit()?;
    Ok(())
}

/// Writes all records and the tree above them: its root.
fn write_records(transaction: &WriteTransaction, file: &StateFile) -> Result<Digest, StoreError> {
    let mut records = transaction.open_table(schema::RECORDS)?;
    let mut pages = transaction.open_table(schema::PAGES)?;
    let written = file.all_records().map(|(index, record)| {
        records.insert(index, &schema::record_bytes(&record))?;
        Ok((index, record))
    });
    tree_over(written, |id, page| {
        pages.insert(schema::page_key(id), &page.to_bytes())?;
        Ok(())
    })
}

/// Writes what has changed under and on the paths of some records.
fn write_state(
    transaction: &WriteTransaction,
    after: &State,
    changed: &[Index],
) -> Result<(), StoreError> {
    let tree = after.tree();
    let mut records = transaction.open_table(schema::RECORDS)?;
    for &index in changed {
        let record = tree.get(index);
        if record.is_empty() {
            records.remove(index)?;
        } else {
            records.insert(index, &schema::record_bytes(&record))?;
        }
    }
    let mut pages = transaction.open_table(schema::PAGES)?;
    for id in pages_on_paths(changed) {
        let key = schema::page_key(id);
        match tree.page(id) {
            Some(page) => pages.insert(key, &page.to_bytes())?,
            None => pages.remove(key)?,
        };
    }
    Ok(())
}

/// Adds a batch to the history.
fn append(transaction: &WriteTransaction, applied: &Applied) -> Result<(), StoreError> {
    let mut history = transaction.open_table(schema::HISTORY)?;
    let number = history.len()?;
    history.insert(
        number,
        schema::encode(Table::History, number, applied)?.as_slice(),
    )?;
    let mut batches = transaction.open_table(schema::BATCHES)?;
    batches.insert(&applied.batch.0, number)?;
    Ok(())
}
