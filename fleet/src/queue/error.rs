//! What can go wrong with the queue.

use std::io;
use std::path::PathBuf;

use super::model::BatchState;

/// Why the queue refuses, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The database refuses, or is unavailable.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database has not answered in time.
    #[error("the database does not answer")]
    Silent,
    /// An URL of no known kind of database.
    #[error("found a database URL that starts with {found:?}, expected sqlite:// or postgres://")]
    Url {
        /// The URL's scheme.
        found: Box<str>,
    },
    /// A URL that cannot be read as one, or has parts that are never meant.
    #[error(
        "the database URL {why}: in a user's name or a password write # as %23, ? as %3F, / as \
         %2F, @ as %40, : as %3A, % as %25"
    )]
    Malformed {
        /// What is wrong, without any part of it.
        why: Box<str>,
    },
    /// Nothing was made there.
    #[error("there is no queue at {place}: `shardfold submit` and `shardfold register` make one")]
    NoQueue {
        /// The place, without user and password.
        place: Box<str>,
    },
    /// SQLite's file cannot be used.
    #[error("the database file {}: {source}", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// SQLite's file was removed while this process had it open.
    #[error("the database file {} is there no more", path.display())]
    Gone {
        /// The path at which the file was.
        path: PathBuf,
    },
    /// SQLite's file is another one than that which this process had open.
    #[error(
        "another file has taken the place of the database {}: stop all processes of the fleet, \
         remove its -wal and -shm files if they are the old one's, and start again",
        path.display()
    )]
    Replaced {
        /// The path of the database file.
        path: PathBuf,
    },
    /// The database answers, but takes no writes.
    #[error("the database takes no writes: it is read-only, or a standby")]
    ReadOnly,
    /// The database can be connected with, but all connections of this process are in use.
    #[error("no connection of this process to the database came free in time")]
    Busy,
    /// The tables were made by another version.
    #[error(
        "the database has tables of version {found}, this build has {expected}: use the build that \
         made them, or a database of its own for this one, and submit its batches there"
    )]
    Version {
        /// The version of the tables.
        found: i64,
        /// The version that this build reads and writes.
        expected: i64,
    },
    /// A value that this system does not write.
    #[error("found {found:?} in the database as {what}")]
    Value {
        /// What the value stands for.
        what: &'static str,
        /// The value found.
        found: Box<str>,
    },
    /// The worker's key was never registered.
    #[error(
        "the key {key} is not registered: ask the operator to run `shardfold register NAME {key}`"
    )]
    NotEnrolled {
        /// The worker's public key.
        key: Box<str>,
    },
    /// The worker was revoked.
    #[error("the worker {worker} was revoked")]
    Revoked {
        /// Name of the worker.
        worker: Box<str>,
    },
    /// Too many of the worker's results were invalidated.
    #[error("{strikes} results of the worker {worker} were invalidated: it gets no more jobs")]
    Struck {
        /// Name of the worker.
        worker: Box<str>,
        /// How many of its results were invalidated.
        strikes: i64,
    },
    /// The worker has circuits that neither the last batch has nor an open one.
    #[error(
        "this worker's circuits for {profile} are {found}, the fleet's are {expected}: build it \
         from the same sources as the submitter"
    )]
    OtherCircuits {
        /// The security profile.
        profile: Box<str>,
        /// The key of the worker's circuits.
        found: Box<str>,
        /// The keys of those batches' circuits.
        expected: Box<str>,
    },
    /// A name or key that is taken by another worker.
    #[error("the name {name} or the key {key} is registered already, for another key or name")]
    Taken {
        /// The name that was to be registered.
        name: Box<str>,
        /// The public key that was to be registered.
        key: Box<str>,
    },
    /// No worker of this name was registered.
    #[error("there is no worker {name}")]
    NoWorker {
        /// The name that was asked for.
        name: Box<str>,
    },
    /// No batch or job has an id that starts like this.
    #[error("there is no {what} {prefix}")]
    Unknown {
        /// What was asked for: a batch or a job.
        what: &'static str,
        /// The start of its id.
        prefix: Box<str>,
    },
    /// Several have.
    #[error("there are {count} {what}s whose id starts with {prefix}")]
    Ambiguous {
        /// What was asked for: a batch or a job.
        what: &'static str,
        /// The start of the id.
        prefix: Box<str>,
        /// How many ids start with it.
        count: usize,
    },
    /// A batch in a state in which this cannot be done.
    #[error("the batch {batch} is {}, expected {}", found.name(), expected.name())]
    BatchState {
        /// Its id.
        batch: Box<str>,
        /// Its state.
        found: BatchState,
        /// The state that it should have.
        expected: BatchState,
    },
}

impl QueueError {
    /// Returns whether the database is unavailable or busy, so that the same may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => is_transient(error),
            Self::Silent | Self::File { .. } | Self::Gone { .. } | Self::ReadOnly | Self::Busy => {
                true
            }
            _ => false,
        }
    }

    /// Returns whether SQLite's file is damaged, or none of SQLite's.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self.sqlite_code(), Some(11 | 26))
    }

    /// Whether another process has SQLite's file locked.
    pub(super) fn is_busy(&self) -> bool {
        self.sqlite_code() == Some(5)
    }

    /// SQLite's primary result code, if the error is SQLite's.
    fn sqlite_code(&self) -> Option<u32> {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return None;
        };
        primary_code(&error.code()?)
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        // The connection is in a state that sqlx does not know of.
        | sqlx::Error::InvalidSavePointStatement
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// SQLSTATE classes of PostgreSQL: connection, rollback by conflict, resources, operator
/// intervention, system; result codes of SQLite: busy, locked, read-only, I/O, full, cannot
/// open.
fn is_transient_code(code: &str) -> bool {
    if code.len() == 5 {
        let classes = ["08", "40", "53", "57", "58"];
        // A standby that is not the primary yet; no transaction where one was begun, one that has
        // failed before, one that took too long; a prepared statement that the session has lost;
        // a lock that was not available.
        let single = ["25006", "25P01", "25P02", "25P03", "26000", "55P03"];
        return classes.iter().any(|class| code.starts_with(class)) || single.contains(&code);
    }
    matches!(primary_code(code), Some(5 | 6 | 8 | 10 | 13 | 14))
}

/// The primary result code of one of SQLite's, which are shorter than a SQLSTATE.
fn primary_code(code: &str) -> Option<u32> {
    let code: u32 = code.parse().ok().filter(|_| code.len() < 5)?;
    Some(code & 0xff)
}
