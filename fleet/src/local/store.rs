//! Proofs of parts on disk, each in a file named by what it states.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use shardfold_aggregator::{Aggregator, ProvenStatement};
use shardfold_circuits::fold::Origin;
use shardfold_protocol::head::Head;

use super::board::choose;
use super::{Event, Observer};

/// What the files end with.
const EXTENSION: &str = "part";

/// Why the work folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct StoreError {
    path: PathBuf,
    source: io::Error,
}

/// A folder of proofs of parts.
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder, made if it is not there.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Keeps a proof: whole under its name, or not at all.
    pub fn save(&self, proven: &ProvenStatement) -> Result<(), StoreError> {
        let path = self.folder.join(name(proven)).with_extension(EXTENSION);
        let failed = |source| StoreError {
            path: path.clone(),
            source,
        };
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        file.write_all(&proven.to_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }

    /// The proofs here that lead from one of these heads to a later one, each verified, chosen
    /// so that none overlap. Whatever else is here is left alone.
    pub fn load(
        &self,
        aggregator: &Aggregator,
        chain_id: u64,
        heads: &[Head],
        observer: &Observer<'_>,
    ) -> Vec<(usize, usize, ProvenStatement)> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let place = |head: &Head| heads.iter().position(|known| known == head);
        let mut found = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            let ignored = |reason: String| {
                observer(Event::Ignored {
                    path: path.clone(),
                    reason,
                });
            };
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    ignored(error.to_string());
                    continue;
                }
            };
            let proven = match aggregator.decode(&bytes) {
                Ok(proven) => proven,
                Err(error) => {
                    ignored(error.to_string());
                    continue;
                }
            };
            let statement = proven.statement();
            match (place(&statement.before), place(&statement.after)) {
                (Some(first), Some(end)) if first < end && statement.chain_id == chain_id => {
                    found.push((first, end, proven));
                }
                _ => ignored("it proves no part of this batch".into()),
            }
        }
        choose(found)
    }

    /// Removes the proofs, and the folder if nothing else is in it.
    pub fn remove(folder: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError {
            path: folder.to_owned(),
            source,
        };
        for path in fs::read_dir(folder)
            .map_err(failed)?
            .flatten()
            .map(|entry| entry.path())
        {
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        // What others put there stays.
        let _ = fs::remove_dir(folder);
        Ok(())
    }
}

/// A name that follows from what is stated and by which kind of proof.
fn name(proven: &ProvenStatement) -> String {
    let mut digest = Sha256::new();
    for element in proven.statement().elements() {
        digest.update(p3_field::PrimeField64::as_canonical_u64(&element).to_le_bytes());
    }
    let (short, _) = digest.finalize().split_at(16).into();
    let kind = match proven.origin() {
        Origin::Leaf(key) => format!("shard{key}"),
        Origin::Fold => "fold".into(),
    };
    format!("{kind}-{}", hex::encode(short))
}
