//! An archive of blobs: a folder in which those of all settled batches are kept, each a file that its
//! hash names. What is missing comes from a beacon node.

use std::path::Path;
use std::{fs, io};

use alloy_primitives::{B256, Bytes};
use anyhow::{Context, Result};
use shardfold_settlement::data::{BLOB_BYTES, blob_hash};
use shardfold_submitter::beacon::{Beacon, BeaconError};
use shardfold_submitter::endpoints::{EndpointError, Endpoints};
use shardfold_submitter::logs::{self, Log};

use crate::output::{Places, read_file, warn};

/// After so many questions in a row that a node has not answered at all it is asked no more: each may
/// have taken a minute.
const SILENCES: usize = 3;

/// What became of the blobs that a folder did not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// How many the beacon node has given.
    pub fetched: usize,
    /// How many are still not there.
    pub missing: usize,
}

/// Reads the blob of a hash, if a folder has it.
pub fn read_blob(folder: &Path, hash: &B256) -> Result<Option<Bytes>> {
    let path = folder.join(hash.to_string());
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Ok(Some(read_file(&path, BLOB_BYTES as u64)?.into())),
    }
}

/// Writes a blob into the file of a folder that its hash names; makes the folder if it is not there.
pub fn keep_blob(folder: &Path, hash: &B256, blob: &[u8]) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(hash.to_string());
    let size = blob.len() as u64;
    Places::new([]).output(&path, size)?.write(blob)
}

/// Keeps in a folder the blobs of settled batches that it has not yet and a beacon node gives. One that
/// the node does not give, or whose place cannot be read, is warned about and does not keep the others
/// from being fetched.
///
/// # Errors
/// A folder that takes no files.
pub async fn fetch_missing(
    endpoints: &Endpoints,
    batches: &[Log],
    beacon: &str,
    folder: &Path,
) -> Result<Archived> {
    let mut source = Source::new(beacon);
    let mut archived = Archived::default();
    for batch in batches {
        for hash in logs::blobs(batch) {
            let blob = match Place::of(folder, &hash) {
                Place::Kept => continue,
                Place::Free => source.blob(endpoints, batch, &hash).await,
                Place::Taken => None,
            };
            match blob {
                Some(blob) => {
                    keep_blob(folder, &hash, &blob)?;
                    tracing::info!(%hash, "kept a blob");
                    archived.fetched += 1;
                }
                None => archived.missing += 1,
            }
        }
    }
    Ok(archived)
}

/// What lies where a blob should be.
enum Place {
    /// The blob.
    Kept,
    /// Nothing, or a file of something else, whose place it takes.
    Free,
    /// Something that cannot be read.
    Taken,
}

impl Place {
    /// Looks; what is not the blob is warned about.
    fn of(folder: &Path, hash: &B256) -> Self {
        match read_blob(folder, hash) {
            Ok(Some(blob)) if blob_hash(&blob) == Some(*hash) => Self::Kept,
            Ok(Some(_)) => {
                let path = folder.join(hash.to_string());
                let path = path.display();
                warn(format_args!("warning: {path} is not the blob of its name"));
                Self::Free
            }
            Ok(None) => Self::Free,
            Err(error) => {
                warn(format_args!("warning: {error:#}"));
                Self::Taken
            }
        }
    }
}

/// A beacon node, which is asked for its chain when the first blob is missing.
struct Source<'a> {
    url: &'a str,
    node: Option<Beacon>,
    /// Questions in a row that were not answered.
    silences: usize,
}

impl<'a> Source<'a> {
    const fn new(url: &'a str) -> Self {
        Self {
            url,
            node: None,
            silences: 0,
        }
    }

    /// The blob of a batch, if the node gives it; or else a warning says why not.
    async fn blob(&mut self, endpoints: &Endpoints, batch: &Log, hash: &B256) -> Option<Bytes> {
        if self.silences >= SILENCES {
            return None;
        }
        let found = self.ask(endpoints, batch, hash).await;
        self.silences = match &found {
            Err(error) if is_silence(error) => self.silences + 1,
            _ => 0,
        };
        found
            .inspect_err(|error| warn(format_args!("warning: no blob {hash}: {error:#}")))
            .ok()
    }

    async fn ask(&mut self, endpoints: &Endpoints, batch: &Log, hash: &B256) -> Result<Bytes> {
        let time = logs::time(endpoints, batch).await?;
        let node = match &self.node {
            Some(node) => node,
            None => self.node.insert(Beacon::connect(self.url).await?),
        };
        Ok(node.blob(time, hash).await?)
    }
}

/// Whether no node has said anything at all.
fn is_silence(error: &anyhow::Error) -> bool {
    let beacon = error.downcast_ref();
    matches!(beacon, Some(BeaconError::Unreachable { .. })) || error.is::<EndpointError>()
}
