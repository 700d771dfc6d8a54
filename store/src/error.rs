//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

use shardfold_protocol::field::MODULUS;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::state::StateError;
use shardfold_protocol::text::digest::to_hex;
use shardfold_protocol::tree::{PageError, PageId};
use thiserror::Error;

use crate::schema::FORMAT;
use crate::{FILE, Table};

/// Why the state in a folder cannot be made, read or moved on.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A folder without a state.
    #[error("found no {FILE} in {}", folder.display())]
    NoState {
        /// The folder without a state.
        folder: PathBuf,
    },
    /// A folder for a new state that has something in it.
    #[error("found {} in {}, expected an empty folder", entry.display(), folder.display())]
    NotEmpty {
        /// The folder that should be empty.
        folder: PathBuf,
        /// An entry of the folder.
        entry: PathBuf,
    },
    /// Another process has the database open.
    #[error("another process is using the state in {}", folder.display())]
    InUse {
        /// The folder of the state.
        folder: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder that could not be used.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The database engine refused.
    #[error(transparent)]
    Database(Box<redb::Error>),
    /// Bytes that the database engine could not take: it panicked.
    #[error("found bytes in the database that are none of redb's")]
    Damaged,
    /// A database of another format.
    #[error("found format {found} of the database, expected {FORMAT}: {}", advice(*found))]
    Format {
        /// The format version found.
        found: u32,
    },
    /// Something that every state has is not there.
    #[error("found no `{key}` in the table of facts")]
    Missing {
        /// Key of the missing fact.
        key: &'static str,
    },
    /// An entry that does not decode.
    #[error("entry {key} of the table `{table}`: {source}")]
    Entry {
        /// The table of the entry.
        table: Table,
        /// The key of the entry.
        key: u64,
        /// What is wrong with its bytes.
        source: bincode::Error,
    },
    /// A record with a field element that is not below the modulus.
    #[error(
        "the record at index {index} has the element {found:#018x}, expected one below {MODULUS:#018x}"
    )]
    Element {
        /// The index of the record.
        index: Index,
        /// The integer found, not below the modulus.
        found: u64,
    },
    /// A page that does not decode.
    #[error("the tree's page {} of floor {}: {source}", id.index(), id.floor())]
    PageBytes {
        /// The page that does not decode.
        id: PageId,
        /// What is wrong with its bytes.
        source: PageError,
    },
    /// A head that is not the last one of the history.
    #[error(
        "found the head at transaction {found}, the history ends at another one, at transaction {expected}"
    )]
    History {
        /// Transactions of the head.
        found: u64,
        /// Transactions of the history's last head.
        expected: u64,
    },
    /// An entry of the history that does not start where the one before it ends.
    #[error("entry {number} of the history does not start at the head before it")]
    Chain {
        /// Number of the entry in the history.
        number: u64,
    },
    /// Tables that do not agree on which batch has a number.
    #[error(
        "the table `batches` leads to entry {number} of the history for another batch than is there"
    )]
    BatchNumber {
        /// Number of the entry in the history.
        number: u64,
    },
    /// More or fewer batches by digest than in order.
    #[error("found {found} entries of the table `batches`, expected {expected} as in the history")]
    BatchCount {
        /// Entries of the table `batches`.
        found: u64,
        /// Batches of the history.
        expected: u64,
    },
    /// Records and digests that do not lead to the head's root.
    #[error(
        "found records and tree digests with state root {}, expected the head's {}",
        to_hex(found),
        to_hex(expected)
    )]
    Root {
        /// The state root of the records and digests found.
        found: Digest,
        /// The state root of the head.
        expected: Digest,
    },
    /// A page of the tree that is not that of the records.
    #[error("the tree's page {} of floor {} is not that of the records under it", id.index(), id.floor())]
    Page {
        /// The page that differs from the records.
        id: PageId,
    },
    /// A page of the tree where there are no records.
    #[error("found {found} tree pages, expected {expected} for these records")]
    PageCount {
        /// Pages found.
        found: u64,
        /// Pages that these records make.
        expected: u64,
    },
    /// A state that cannot be.
    #[error(transparent)]
    State(#[from] StateError),
    /// A batch that did not start where the state stands.
    #[error(
        "found the end of a batch that began at transaction {found}, the state stands at transaction {expected}"
    )]
    Moved {
        /// Transactions of the ledger where the batch began.
        found: u64,
        /// Transactions of the ledger where the state stands.
        expected: u64,
    },
}

/// What to do with a database of another format.
const fn advice(found: u32) -> &'static str {
    if found > FORMAT {
        return "a later build wrote it, which is the one to use it with";
    }
    "its owners have no exit address, so it cannot be converted; only the build that wrote it \
     reads and exports it (`shardfold state export`), and a ledger of this build starts from a \
     genesis of its own (`shardfold import`)"
}

impl StoreError {
    /// Returns what the operating system refused, if it is to blame.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Database(error) => match &**error {
                redb::Error::Io(source) => Some(source),
                _ => None,
            },
            _ => None,
        }
    }

    /// Names the file or folder of an error.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }

    /// Names the folder of an error in opening its database.
    pub(crate) fn opening(folder: &Path) -> impl FnOnce(redb::DatabaseError) -> Self {
        let folder = folder.to_owned();
        |error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse { folder },
            redb::DatabaseError::Storage(redb::StorageError::Io(source)) => Self::Io {
                path: folder.join(FILE),
                source,
            },
            error => Self::Database(Box::new(error.into())),
        }
    }
}

impl From<redb::StorageError> for StoreError {
    fn from(error: redb::StorageError) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

impl From<redb::TableError> for StoreError {
    fn from(error: redb::TableError) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

impl From<redb::TransactionError> for StoreError {
    fn from(error: redb::TransactionError) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

impl From<redb::CommitError> for StoreError {
    fn from(error: redb::CommitError) -> Self {
        Self::Database(Box::new(error.into()))
    }
}
