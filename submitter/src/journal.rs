//! The journal of one settlement: what was signed, on disk before it is sent.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use shardfold_protocol::folder;
use tempfile::NamedTempFile;
use thiserror::Error;

/// What is settled, where, by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The base chain's id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// Who settles.
    pub settler: Address,
    /// The digest of the head before the batch.
    pub before: B256,
    /// The digest of the head after it.
    pub after: B256,
}

/// A transaction that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Its hash.
    pub hash: B256,
    /// Its bytes. Blobs, and what nodes want beside them, are not in them: they are made of the batch
    /// again.
    pub raw: Bytes,
    /// The gas that it may take.
    pub gas: u64,
    /// The most wei that it pays for a unit of gas.
    pub max_fee: u128,
    /// How much of that goes to who makes the block.
    pub priority_fee: u128,
    /// The most wei that it pays for a unit of blob gas, if it has blobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_blob_fee: Option<u128>,
}

/// The journal: transactions of one nonce, of which one at most is ever mined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// What they settle.
    pub subject: Subject,
    /// Their nonce.
    pub nonce: u64,
    /// They themselves, by growing fees; at least one.
    pub attempts: Vec<Attempt>,
}

/// Why a journal is of no use.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A file that cannot be read or written.
    #[error("cannot {what} the journal {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no journal.
    #[error("found {} that is no journal of a settlement: {source}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Another process at work.
    #[error("another process is settling with the journal {}: wait for it", path.display())]
    InUse {
        /// Which journal.
        path: PathBuf,
    },
    /// The journal of another settlement.
    #[error(
        "the journal {} is of another settlement: from head {} to {} on contract {} of chain {} by \
         {}, expected from {} to {} on {} of {} by {}; name another journal, or remove this one if \
         that settlement is done",
        path.display(), found.before, found.after, found.contract, found.chain_id, found.settler,
        expected.before, expected.after, expected.contract, expected.chain_id, expected.settler
    )]
    Other {
        /// Which journal.
        path: PathBuf,
        /// What it is of.
        found: Box<Subject>,
        /// What is to be settled.
        expected: Box<Subject>,
    },
}

impl Journal {
    /// Reads the journal of a settlement; `None` if there is none yet.
    ///
    /// # Errors
    /// A file that cannot be read, is no journal or is that of another settlement.
    pub fn read(path: &Path, expected: &Subject) -> Result<Option<Self>, JournalError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("read", path, source)),
        };
        let journal: Self = serde_json::from_slice(&bytes).map_err(|source| {
            let path = path.to_owned();
            JournalError::Form { path, source }
        })?;
        if journal.subject != *expected {
            return Err(JournalError::Other {
                path: path.to_owned(),
                found: Box::new(journal.subject),
                expected: Box::new(*expected),
            });
        }
        Ok(Some(journal))
    }

    /// Writes it whole or not at all; on return it is on disk.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn write(&self, path: &Path) -> Result<(), JournalError> {
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|bytes| replace(path, &bytes));
        written.map_err(|source| failed("write", path, source))
    }

    /// Returns the transaction with the highest fee.
    #[must_use]
    pub fn newest(&self) -> Option<&Attempt> {
        self.attempts.last()
    }
}

/// Keeps other processes from a journal as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a journal: the file of its name with `.lock` behind it, which stays. The folder is
    /// made if it is not there.
    ///
    /// # Errors
    /// Another process has it, or the system refuses.
    pub fn take(journal: &Path) -> Result<Self, JournalError> {
        let path = beside(journal, ".lock");
        let io = |source| failed("lock", journal, source);
        let made = folder::create(folder_of(journal)).and_then(|()| {
            // What is there is kept: it may be a file of another purpose.
            let mut options = File::options();
            options.write(true).create(true).truncate(false).open(path)
        });
        let file = made.map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let path = journal.to_owned();
                Err(JournalError::InUse { path })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Returns the path with something behind its name.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> JournalError {
    let path = path.to_owned();
    JournalError::Io { what, path, source }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = folder_of(path);
    let mut file = NamedTempFile::new_in(place)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    folder::sync(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal {
            subject: Subject {
                chain_id: 1,
                contract: Address::repeat_byte(1),
                settler: Address::repeat_byte(2),
                before: B256::repeat_byte(3),
                after: B256::repeat_byte(4),
            },
            nonce: 9,
            attempts: vec![Attempt {
                hash: B256::repeat_byte(5),
                raw: Bytes::from_static(&[1, 2, 3]),
                gas: 4,
                max_fee: 5,
                priority_fee: 6,
                max_blob_fee: Some(7),
            }],
        }
    }

    #[test]
    fn a_journal_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.journal");
        let journal = journal();
        assert_eq!(
            Journal::read(&path, &journal.subject).expect("none yet"),
            None
        );
        journal.write(&path).expect("there is space");
        let found = Journal::read(&path, &journal.subject).expect("it is one");
        assert_eq!(found.as_ref(), Some(&journal));
        // Nothing else was left there.
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn another_settlement_and_what_is_no_journal_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.journal");
        let journal = journal();
        journal.write(&path).expect("there is space");
        let other = Subject {
            after: B256::ZERO,
            ..journal.subject
        };
        let error = Journal::read(&path, &other).expect_err("it is another");
        assert!(matches!(error, JournalError::Other { .. }));
        fs::write(&path, "{}").expect("it is ours");
        let error = Journal::read(&path, &journal.subject).expect_err("it is none");
        assert!(matches!(error, JournalError::Form { .. }));
    }

    #[test]
    fn one_process_has_a_journal() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/a.journal");
        let lock = Lock::take(&path).expect("nobody has it");
        let error = Lock::take(&path).expect_err("it is taken");
        assert!(matches!(error, JournalError::InUse { .. }));
        drop(lock);
        Lock::take(&path).expect("nobody has it");
    }
}
