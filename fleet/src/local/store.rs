//! Proofs of parts on disk, each in a file named by what it states.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use shardfold_aggregator::{Aggregator, ProvenStatement};
use shardfold_circuits::fold::Origin;
use shardfold_protocol::folder;
use shardfold_protocol::head::{Head, Statement};

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
        folder::create(folder).map_err(|source| StoreError {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Keeps a proof: whole under its name, or not at all.
    pub fn save(&self, proven: &ProvenStatement) -> Result<(), StoreError> {
        let name = name(proven.origin(), proven.statement());
        let path = self.folder.join(&name).with_extension(EXTENSION);
        let failed = |source| StoreError {
            path: path.clone(),
            source,
        };
        // A run beside this one may have finished the same batch and removed the folder.
        folder::create(&self.folder).map_err(failed)?;
        // What a killed run leaves under this name is removed with the batch's other files.
        let mut file = tempfile::Builder::new()
            .prefix(&format!("{name}."))
            .suffix(".tmp")
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        file.write_all(&proven.to_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        folder::sync(&self.folder).map_err(failed)
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
            if path
                .extension()
                .is_none_or(|extension| extension != EXTENSION)
            {
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

    /// Removes what runs of this batch have written, and the folder if nothing else is in it.
    pub fn remove(folder: &Path, chain_id: u64, heads: &[Head]) -> Result<(), StoreError> {
        let failed = |source| StoreError {
            path: folder.to_owned(),
            source,
        };
        let ours = digests(chain_id, heads);
        // A run beside this one may have removed everything already.
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let digest = name.to_str().and_then(digest_of_name);
            if digest.is_some_and(|digest| ours.contains(digest)) {
                match fs::remove_file(entry.path()) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed(error));
                    }
                    _ => {}
                }
            }
        }
        // Proofs of other batches, and what others put there, stay.
        let _ = fs::remove_dir(folder);
        Ok(())
    }
}

/// A file's name without extension: which kind of proof it is, and the digest of what it states.
fn name(origin: Origin, statement: &Statement) -> String {
    let kind = match origin {
        Origin::Leaf(key) => format!("shard{key}"),
        Origin::Fold => "fold".into(),
    };
    format!("{kind}-{}", digest(statement))
}

/// The digest in a name of a proof, whole or in the making.
fn digest_of_name(file: &str) -> Option<&str> {
    let (stem, _) = file.split_once('.')?;
    Some(stem.split_once('-')?.1)
}

/// The digests of all statements that runs over these heads can prove.
fn digests(chain_id: u64, heads: &[Head]) -> HashSet<String> {
    let firsts = heads.iter().enumerate();
    firsts
        .flat_map(|(first, &before)| {
            heads[first + 1..].iter().map(move |&after| {
                digest(&Statement {
                    chain_id,
                    before,
                    after,
                })
            })
        })
        .collect()
}

fn digest(statement: &Statement) -> String {
    let mut digest = Sha256::new();
    for element in statement.elements() {
        digest.update(p3_field::PrimeField64::as_canonical_u64(&element).to_le_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    hex::encode(&digest[..16])
}
