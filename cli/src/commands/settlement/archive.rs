//! `archive`: what a chain says of a ledger, kept in a folder: code and events of the contract, and the
//! blobs of all settled batches, each a file that its hash names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use alloy_primitives::{B256, Bytes};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_settlement::data::{BLOB_BYTES, blob_hash};
use shardfold_settlement::deployed::Snapshot;
use shardfold_settlement::events::Log;
use shardfold_submitter::beacon::{self, Beacon, BeaconError};
use shardfold_submitter::endpoints::Endpoints;
use shardfold_submitter::{logs, snapshot};

use super::owner::address;
use crate::args::{ArchiveArgs, KeptArgs};
use crate::exit::{cannot, usage};
use crate::output::{Places, Printer, read_file, warn};
use crate::threads;

/// The contract's code and events in an archive.
const CONTRACT: &str = "contract.json";
/// The folder of blobs.
const BLOBS: &str = "blobs";
/// More events than fit any memory.
const CONTRACT_BYTES: u64 = 1 << 40;
/// After so many questions in a row that a node has not answered at all it is asked no more: each may
/// have taken a minute.
const SILENCES: usize = 3;

/// Runs the command.
pub fn run(args: &ArchiveArgs) -> Result<()> {
    let contract = address(&args.chain.contract)?;
    if let Some(url) = &args.beacon {
        beacon::check_url(url).map_err(|error| usage(error.to_string()))?;
    }
    let folder = &args.output;
    let path = folder.join(CONTRACT);
    let earlier = match path.exists() {
        true => Some(read_snapshot(&path)?),
        false => None,
    };
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut places = Places::new([]);
    // What is new is not known yet.
    let output = places.output(&path, fs::metadata(&path).map_or(0, |file| file.len()))?;
    let printer = places.printer(args.json)?;
    let runtime = threads::runtime()?;
    let (endpoints, snapshot) = runtime.block_on(async {
        let endpoints = Endpoints::connect(&args.chain.rpc).await?;
        let snapshot = snapshot::read(&endpoints, contract, earlier).await;
        let snapshot = snapshot.with_context(|| {
            format!("{output} stays as it was; in another folder an archive begins anew")
        })?;
        anyhow::Ok((endpoints, snapshot))
    })?;
    output.write(&serde_json::to_vec(&snapshot)?)?;
    let (events, block) = (snapshot.logs.len(), snapshot.block);
    printer.line(format_args!(
        "{output}: the contract's code, and all of its {events} events up to block {block}"
    ));
    let blobs = folder.join(BLOBS);
    let source = Source::new(args.beacon.as_deref());
    let archived = runtime.block_on(fetch_missing(&endpoints, &snapshot.logs, source, &blobs))?;
    archived.report(block, events, &blobs, printer)
}

fn read_snapshot(path: &Path) -> Result<Snapshot> {
    let bytes = read_file(path, CONTRACT_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| {
        let place = path.display();
        format!("{place} does not hold block, code and logs of a contract")
    })
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

    /// The file of code and events.
    pub fn file(&self) -> PathBuf {
        self.folder.join(CONTRACT)
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> &Path {
        &self.blobs
    }

    pub fn contract(&self) -> Result<Snapshot> {
        read_snapshot(&self.file())
    }
}

/// What became of the blobs that a folder did not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Archived {
    /// How many the beacon node has given.
    fetched: usize,
    /// Those that are still not there.
    missing: Vec<B256>,
}

impl Archived {
    /// Says how it ended, which is badly if something is missing.
    fn report(self, block: u64, events: usize, blobs: &Path, printer: Printer) -> Result<()> {
        let Self { fetched, missing } = self;
        let place = blobs.display();
        if let Some(first) = missing.first() {
            let count = missing.len();
            return Err(cannot(format!(
                "{count} blobs are not in {place}, without which nobody makes the state, as {first}; all \
                 else is kept, {fetched} blobs more than before"
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

/// Reads the blob of a hash, if a folder has it.
pub fn read_blob(folder: &Path, hash: &B256) -> Result<Option<Bytes>> {
    let path = folder.join(hash.to_string());
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A pipe would be waited for.
        Ok(found) => ensure!(found.is_file(), "{} is no file", path.display()),
        Err(_) => {}
    }
    Ok(Some(read_file(&path, BLOB_BYTES as u64)?.into()))
}

/// Writes a blob into the file of a folder that its hash names; makes the folder if it is not there.
pub fn keep_blob(folder: &Path, hash: &B256, blob: &[u8]) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(hash.to_string());
    let size = blob.len() as u64;
    Places::new([]).output(&path, size)?.write(blob)
}

/// Keeps in a folder the blobs of settled batches that it has not yet and a beacon node gives, of the
/// newest batch first, since those of old ones may be nowhere any more. One that the node does not give,
/// or whose place cannot be read, is warned about and does not keep the others from being fetched.
///
/// # Errors
/// A folder that takes no files.
async fn fetch_missing(
    endpoints: &Endpoints,
    logs: &[Log],
    mut source: Source<'_>,
    folder: &Path,
) -> Result<Archived> {
    let mut archived = Archived::default();
    for batch in logs.iter().rev() {
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
                None => archived.missing.push(hash),
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

/// Where missing blobs come from.
enum Source<'a> {
    /// Nowhere, or from a node that is asked no more.
    Nothing,
    /// A beacon node that was not asked for anything yet.
    Url(&'a str),
    /// A beacon node, and how many questions in a row it has not answered.
    Node(Beacon, usize),
}

impl<'a> Source<'a> {
    fn new(url: Option<&'a str>) -> Self {
        url.map_or(Self::Nothing, Self::Url)
    }

    /// The blob of a batch, if the node gives it; or else a warning says why not.
    async fn blob(&mut self, endpoints: &Endpoints, batch: &Log, hash: &B256) -> Option<Bytes> {
        if let Self::Url(url) = *self {
            *self = match Beacon::connect(url).await {
                Ok(node) => Self::Node(node, 0),
                Err(error) => {
                    warn(format_args!("warning: {error}: it is asked for no blob"));
                    Self::Nothing
                }
            };
        }
        let Self::Node(node, silences) = self else {
            return None;
        };
        let found = match logs::time(endpoints, batch).await {
            Ok(time) => node.blob(time, hash).await.map_err(anyhow::Error::new),
            Err(error) => Err(error.into()),
        };
        let error = match found {
            Ok(blob) => {
                *silences = 0;
                return Some(blob);
            }
            Err(error) => error,
        };
        warn(format_args!("warning: no blob {hash}: {error:#}"));
        *silences = match error.downcast_ref() {
            Some(BeaconError::Unreachable { .. }) => *silences + 1,
            _ => 0,
        };
        if *silences >= SILENCES {
            warn(format_args!("warning: the beacon node is asked no more"));
            *self = Self::Nothing;
        }
        None
    }
}
