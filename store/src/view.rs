//! Reading: the ledger as it stands at one moment.

use std::path::Path;
use std::thread;

use redb::{
    AccessGuard, DatabaseError, ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase,
    ReadableTable as _, ReadableTableMetadata,
};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::tree::{PAGE_BYTES, Page, PageId, StateTree, pages_on_paths};

use crate::guard::{Guarded, guarded};
use crate::hashing::tree_over;
use crate::ledger::{Applied, BATCH_DIGEST_BYTES, BatchDigest, Ledger};
use crate::schema::{self, RECORD_BYTES, Table};
use crate::{Store, StoreError, store};

/// Threads that read at the same time: they wait for the disk, so more than there are cores.
const READERS: usize = 16;
/// The fewest entries that a thread is worth while for.
const READS_PER_THREAD: usize = 256;

/// The ledger at one head; what is applied later is not seen.
pub struct View {
    ledger: Ledger,
    records: ReadOnlyTable<Index, &'static [u8; RECORD_BYTES]>,
    pages: ReadOnlyTable<u64, &'static [u8; PAGE_BYTES]>,
    history: ReadOnlyTable<u64, &'static [u8]>,
    batches: ReadOnlyTable<&'static [u8; BATCH_DIGEST_BYTES], u64>,
    /// What the tables are read from, where nothing else holds it.
    _database: Option<Guarded<ReadOnlyDatabase>>,
}

impl View {
    /// Opens the state in a folder for reading only. Others may read it at the same time.
    ///
    /// # Errors
    /// No state, one that is being written, or one that is damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        guarded(|| {
            let path = store::file_in(folder)?;
            let read = || store::options().open_read_only(&path);
            let database = match read() {
                // The process that had it open was killed: what it had begun is undone first.
                Err(DatabaseError::RepairAborted) => {
                    drop(Store::open(folder)?);
                    read()
                }
                database => database,
            };
            let database = Guarded::new(database.map_err(StoreError::opening(folder))?);
            let view = Self::new(&database.get()?.begin_read()?)?;
            Ok(Self {
                _database: Some(database),
                ..view
            })
        })
    }

    /// The ledger as this transaction sees it, if the format is known and the head is that of
    /// the history and of the tree's top.
    pub(crate) fn new(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let facts = transaction.open_table(schema::FACTS)?;
        let ledger = schema::read_facts(&facts)?;
        let view = Self {
            ledger,
            records: transaction.open_table(schema::RECORDS)?,
            pages: transaction.open_table(schema::PAGES)?,
            history: transaction.open_table(schema::HISTORY)?,
            batches: transaction.open_table(schema::BATCHES)?,
            _database: None,
        };
        view.check_head()?;
        Ok(view)
    }

    fn check_head(&self) -> Result<(), StoreError> {
        let expected = self.history.last()?;
        let expected = match expected {
            Some((number, entry)) => read_applied(number.value(), entry.value())?.after,
            None => self.ledger.imported,
        };
        let found = self.ledger.head;
        if found != expected {
            let (found, expected) = (found.tx_count, expected.tx_count);
            return Err(StoreError::History { found, expected });
        }
        self.state_of(&[])?;
        Ok(())
    }

    /// Returns the chain that transactions must be bound to.
    #[must_use]
    pub const fn chain_id(&self) -> u64 {
        self.ledger.chain_id
    }

    /// Returns where the ledger stands.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.ledger.head
    }

    /// Returns the head with which the state came into this database.
    #[must_use]
    pub const fn imported(&self) -> &Head {
        &self.ledger.imported
    }

    /// Returns how many records are not empty.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn record_count(&self) -> Result<u64, StoreError> {
        guarded(|| Ok(self.records.len()?))
    }

    fn read_record(&self, index: Index) -> Result<Record, StoreError> {
        match self.records.get(index)? {
            Some(bytes) => schema::record_from(index, bytes.value()),
            None => Ok(Record::EMPTY),
        }
    }

    /// Returns the part of the state with the records at these indices, in any order. Executing a
    /// batch on the part with all that its transactions touch has the same outcome as on the whole,
    /// and leads to the same head.
    ///
    /// # Errors
    /// A database that cannot be read, or whose records and digests do not lead to the head's
    /// state root.
    pub fn part_of(&self, indices: impl IntoIterator<Item = Index>) -> Result<State, StoreError> {
        let mut indices: Vec<Index> = indices.into_iter().collect();
        indices.sort_unstable();
        indices.dedup();
        guarded(|| self.state_of(&indices))
    }

    /// The state with the records at these indices, ascending without repetition, and with the
    /// tree's pages on their paths, each node of which must be the hash of the two below it.
    /// An update takes nodes of one path as siblings of another: none may be unchecked.
    fn state_of(&self, indices: &[Index]) -> Result<State, StoreError> {
        let records = read_all(indices, |indices| self.read_records(indices))?;
        let ids = pages_on_paths(indices);
        let pages = read_all(&ids, |ids| self.read_pages(ids))?;
        let mut tree = StateTree::from_parts(&records, pages.iter().cloned());
        tree.update(&records);
        let mut pages = pages.iter().peekable();
        for id in ids {
            let stored = pages.next_if(|(stored, _)| *stored == id);
            if stored.map(|(_, page)| page) != tree.page(id) {
                return Err(StoreError::Page { id });
            }
        }
        self.check_root(tree.root())?;
        let Ledger { chain_id, head, .. } = self.ledger;
        Ok(State::from_parts(chain_id, head, tree)?)
    }

    fn read_records(&self, indices: &[Index]) -> Result<Vec<(Index, Record)>, StoreError> {
        let read = |&index| Ok((index, self.read_record(index)?));
        indices.iter().map(read).collect()
    }

    /// Those pages that are there: all others are empty.
    fn read_pages(&self, ids: &[PageId]) -> Result<Vec<(PageId, Page)>, StoreError> {
        let read = |&id| {
            let bytes = self
                .pages
                .get(schema::page_key(id))
                .map_err(StoreError::from);
            let page = |bytes: AccessGuard<'_, _>| Ok((id, schema::page_from(id, bytes.value())?));
            bytes.transpose().map(|bytes| page(bytes?))
        };
        ids.iter().filter_map(read).collect()
    }

    /// Returns how many batches are part of the ledger since the import.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn batches(&self) -> Result<u64, StoreError> {
        guarded(|| Ok(self.history.len()?))
    }

    /// Returns the batch with a digest, if it is part of the ledger.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn applied(&self, batch: &BatchDigest) -> Result<Option<Applied>, StoreError> {
        guarded(|| {
            let Some(number) = self.batches.get(&batch.0)? else {
                return Ok(None);
            };
            let number = number.value();
            let entry = self.history.get(number)?;
            let entry = entry.map(|entry| read_applied(number, entry.value()));
            match entry.transpose()? {
                Some(entry) if entry.batch == *batch => Ok(Some(entry)),
                _ => Err(StoreError::BatchNumber { number }),
            }
        })
    }

    /// Returns the batches that are part of the ledger since the import, in order. Each must start
    /// at the head after the one before it.
    ///
    /// # Errors
    /// A database that cannot be read, or batches that do not follow each other.
    pub fn history(&self) -> Result<Vec<Applied>, StoreError> {
        guarded(|| {
            let mut head = self.ledger.imported;
            let mut history = Vec::new();
            for (expected, entry) in (0..).zip(self.history.iter()?) {
                let (number, entry) = entry?;
                let number = number.value();
                let entry = read_applied(number, entry.value())?;
                if number != expected || entry.before != head {
                    return Err(StoreError::Chain { number: expected });
                }
                head = entry.after;
                history.push(entry);
            }
            Ok(history)
        })
    }

    /// Returns the state as a file: a snapshot from which it can be imported elsewhere.
    ///
    /// # Errors
    /// A database that cannot be read, or whose records do not have the head's state root.
    pub fn to_file(&self) -> Result<StateFile, StoreError> {
        guarded(|| {
            let Ledger { chain_id, head, .. } = self.ledger;
            let count = usize::try_from(self.records.len()?).unwrap_or(0);
            let mut file = StateFile {
                chain_id,
                head: Some(head),
                vaults: Vec::with_capacity(count.min(1 << 20)),
                records: Vec::new(),
            };
            let records = self.read_all_records()?.inspect(|entry| {
                if let Ok((index, record)) = entry {
                    file.push(*index, *record);
                }
            });
            self.check_root(tree_over(records, |_, _| Ok(()))?)?;
            Ok(file)
        })
    }

    fn check_root(&self, found: Digest) -> Result<(), StoreError> {
        let expected = self.ledger.head.state_root;
        if found != expected {
            return Err(StoreError::Root { found, expected });
        }
        Ok(())
    }

    fn read_all_records(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Index, Record), StoreError>>, StoreError> {
        Ok(self.records.iter()?.map(|entry| {
            let (index, bytes) = entry?;
            let index = index.value();
            Ok((index, schema::record_from(index, bytes.value())?))
        }))
    }

    /// Checks everything: hashes all records and compares every page of the tree and the
    /// root, walks the history, and looks up each of its batches.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn check(&self) -> Result<(), StoreError> {
        let history = self.history()?;
        guarded(|| {
            for (number, entry) in (0..).zip(&history) {
                let found = self.batches.get(&entry.batch.0)?;
                if found.is_none_or(|found| found.value() != number) {
                    return Err(StoreError::BatchNumber { number });
                }
            }
            let (found, expected) = (self.batches.len()?, history.len() as u64);
            if found != expected {
                return Err(StoreError::BatchCount { found, expected });
            }
            let mut expected = 0;
            let found = tree_over(self.read_all_records()?, |id, page| {
                expected += 1;
                let bytes = self.pages.get(schema::page_key(id))?;
                let is_same = bytes.is_some_and(|bytes| *bytes.value() == page.to_bytes());
                if is_same {
                    Ok(())
                } else {
                    Err(StoreError::Page { id })
                }
            })?;
            self.check_root(found)?;
            let found = self.pages.len()?;
            if found != expected {
                return Err(StoreError::PageCount { found, expected });
            }
            Ok(())
        })
    }
}

fn read_applied(number: u64, bytes: &[u8]) -> Result<Applied, StoreError> {
    schema::decode(Table::History, number, bytes)
}

/// Reads the entries of many keys, of which each thread takes a run.
fn read_all<K: Sync, V: Send>(
    keys: &[K],
    read: impl Fn(&[K]) -> Result<Vec<V>, StoreError> + Sync,
) -> Result<Vec<V>, StoreError> {
    if keys.len() <= READS_PER_THREAD {
        return read(keys);
    }
    let run = keys.len().div_ceil(READERS).max(READS_PER_THREAD);
    let parts = thread::scope(|scope| {
        let start = |keys| {
            let read = &read;
            scope.spawn(move || read(keys))
        };
        let threads: Vec<_> = keys.chunks(run).map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|part| part.unwrap_or(Err(StoreError::Damaged)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}
