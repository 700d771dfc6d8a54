//! `archive`: what a chain says of a ledger, kept in a folder: events, code, and the blobs of all settled
//! batches, each a file that its hash names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use alloy_primitives::{B256, Bytes};
use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_settlement::data::{BLOB_BYTES, blob_hash};
use shardfold_settlement::deployed::Codes;
use shardfold_submitter::beacon::{Beacon, BeaconError};
use shardfold_submitter::endpoints::{EndpointError, Endpoints};
use shardfold_submitter::logs::{self, Log};
use shardfold_submitter::snapshot;

use super::owner::address;
use crate::args::{ArchiveArgs, KeptArgs};
use crate::exit::cannot;
use crate::output::{Places, Printer, read_file, warn};
use crate::threads;

/// The contract's events in an archive.
const LOGS: &str = "logs.json";
/// Its code.
const CODE: &str = "code.json";
/// The folder of blobs.
const BLOBS: &str = "blobs";
/// More than all events of a contract.
const LOGS_BYTES: u64 = 4 << 30;
/// More than the codes of five contracts.
const CODES_BYTES: u64 = 1 << 20;
/// After so many questions in a row that a node has not answered at all it is asked no more: each may
/// have taken a minute.
const SILENCES: usize = 3;

/// What became of the blobs that a folder did not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Archived {
    /// How many the beacon node has given.
    fetched: usize,
    /// How many are still not there.
    missing: usize,
}

impl Archived {
    /// Says how it ended, which is badly if something is missing.
    fn report(self, block: u64, events: usize, blobs: &Path, printer: Printer) -> Result<()> {
        let Self { fetched, missing } = self;
        let place = blobs.display();
        if missing > 0 {
            return Err(cannot(format!(
                "{missing} blobs are not in {place}, without which nobody makes the state; the rest is \
                 kept, {fetched} blobs more than before"
            )));
        }
        printer.line(format_args!(
            "{place}: the blobs of all batches, {fetched} more than before"
        ));
        printer.object(&Report {
            block,
            events,
            blobs_fetched: fetched,
        })
    }
}

#[derive(Serialize)]
struct Report {
    block: u64,
    events: usize,
    /// From the beacon node.
    blobs_fetched: usize,
}

/// Runs the command.
pub fn run(args: &ArchiveArgs) -> Result<()> {
    let contract = address(&args.chain.contract)?;
    let folder = &args.output;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut places = Places::new([]);
    let code_output = places.output(&folder.join(CODE), CODES_BYTES)?;
    // How long it will be is not known yet.
    let logs_output = places.output(&folder.join(LOGS), CODES_BYTES)?;
    let printer = places.printer(args.json)?;
    let runtime = threads::runtime()?;
    let (endpoints, snapshot) = runtime.block_on(async {
        let endpoints = Endpoints::connect(&args.chain.rpc).await?;
        let snapshot = snapshot::read(&endpoints, contract).await?;
        anyhow::Ok((endpoints, snapshot))
    })?;
    // First the events: with code that is newer than they are nothing could be done.
    logs_output.write(&serde_json::to_vec(&snapshot.logs)?)?;
    code_output.write(&serde_json::to_vec_pretty(&snapshot.codes)?)?;
    let events = snapshot.logs.len();
    printer.line(format_args!(
        "{logs_output}, {code_output}: the contract's code and its {events} events up to block {}",
        snapshot.block
    ));
    let blobs = folder.join(BLOBS);
    let source = Source::new(args.beacon.as_deref());
    let archived = runtime.block_on(fetch_missing(&endpoints, &snapshot.logs, source, &blobs))?;
    archived.report(snapshot.block, events, &blobs, printer)
}

/// What was kept of a ledger.
pub struct Kept<'a> {
    folder: &'a Path,
    blobs: PathBuf,
}

impl<'a> Kept<'a> {
    pub fn new(args: &'a KeptArgs) -> Self {
        let blobs = args.blobs.clone();
        Self {
            folder: &args.archive,
            blobs: blobs.unwrap_or_else(|| args.archive.join(BLOBS)),
        }
    }

    /// The files that are read whole.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.logs_path(), self.folder.join(CODE)]
    }

    pub fn logs_path(&self) -> PathBuf {
        self.folder.join(LOGS)
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> &Path {
        &self.blobs
    }

    pub fn logs(&self) -> Result<Vec<u8>> {
        read_file(&self.logs_path(), LOGS_BYTES)
    }

    pub fn codes(&self) -> Result<Codes> {
        let path = self.folder.join(CODE);
        let bytes = read_file(&path, CODES_BYTES)?;
        serde_json::from_slice(&bytes).with_context(|| {
            format!(
                "{} does not hold address and code of rollup, hashes, verifier, first and second, \
                 head_digest and queue_commitment",
                path.display()
            )
        })
    }
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
async fn fetch_missing(
    endpoints: &Endpoints,
    batches: &[Log],
    mut source: Source<'_>,
    folder: &Path,
) -> Result<Archived> {
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

/// A beacon node, if there is one, which is asked for its chain when the first blob is missing.
struct Source<'a> {
    url: Option<&'a str>,
    node: Option<Beacon>,
    /// Questions in a row that were not answered.
    silences: usize,
}

impl<'a> Source<'a> {
    const fn new(url: Option<&'a str>) -> Self {
        Self {
            url,
            node: None,
            silences: 0,
        }
    }

    /// The blob of a batch, if the node gives it; or else a warning says why not.
    async fn blob(&mut self, endpoints: &Endpoints, batch: &Log, hash: &B256) -> Option<Bytes> {
        let url = self.url.filter(|_| self.silences < SILENCES)?;
        let found = self.ask(url, endpoints, batch, hash).await;
        self.silences = match &found {
            Err(error) if is_silence(error) => self.silences + 1,
            _ => 0,
        };
        found
            .inspect_err(|error| warn(format_args!("warning: no blob {hash}: {error:#}")))
            .ok()
    }

    async fn ask(
        &mut self,
        url: &str,
        endpoints: &Endpoints,
        batch: &Log,
        hash: &B256,
    ) -> Result<Bytes> {
        let time = logs::time(endpoints, batch).await?;
        let node = match &self.node {
            Some(node) => node,
            None => self.node.insert(Beacon::connect(url).await?),
        };
        Ok(node.blob(time, hash).await?)
    }
}

/// Whether no node has said anything at all.
fn is_silence(error: &anyhow::Error) -> bool {
    let beacon = error.downcast_ref();
    matches!(beacon, Some(BeaconError::Unreachable { .. })) || error.is::<EndpointError>()
}
