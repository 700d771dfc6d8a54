//! The commands, and what several of them do alike.

pub mod execute;
pub mod inspect;
pub mod key;
pub mod params;
pub mod prove;
pub mod setup;
pub mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shardfold_circuits::cache;
use shardfold_circuits::profile::Profile;
use shardfold_executor::outcome::{Outcome, Receipt};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files::{self, FileContent, FileError};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::Head;
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::text;

use crate::args::{self, BatchArgs, CacheArgs};
use crate::output::{Say, peak_memory_bytes};

/// Seconds by the name of the stage.
pub type Stages = BTreeMap<&'static str, f64>;

/// What `execute` and `prove` print for machines.
#[derive(Serialize)]
pub struct Summary {
    /// Transactions that are part of the ledger now.
    pub transactions: usize,
    /// Transactions that were left out.
    pub rejected: usize,
    /// Seconds from the files to the result.
    pub seconds: f64,
    /// Accepted transactions for each of these seconds.
    pub tx_per_second: f64,
    /// Seconds by stage; stages of different shards may overlap.
    pub stages: Stages,
    /// The most memory held at once.
    pub peak_memory_bytes: Option<u64>,
    /// Root of the state after the batch.
    pub state_root: String,
    /// Transactions since genesis.
    pub tx_count: u64,
}

impl Summary {
    /// The summary of a run that began at `start`.
    pub fn new(outcome: &Outcome, after: &Head, start: Instant, stages: Stages) -> Self {
        let transactions = outcome.accepted.len();
        let seconds = start.elapsed().as_secs_f64();
        Self {
            transactions,
            rejected: outcome.receipts.len() - transactions,
            seconds,
            tx_per_second: transactions as f64 / seconds,
            stages,
            peak_memory_bytes: peak_memory_bytes(),
            state_root: hex(&after.state_root),
            tx_count: after.tx_count,
        }
    }

    /// Prints the summary for people.
    pub fn say(&self, say: Say) {
        say.line(format_args!(
            "{} transactions in {:.2} s: {:.0} a second; {} left out",
            self.transactions, self.seconds, self.tx_per_second, self.rejected
        ));
        for (stage, seconds) in &self.stages {
            say.line(format_args!("  {stage:<14} {seconds:>8.3} s"));
        }
        if let Some(bytes) = self.peak_memory_bytes {
            say.line(format_args!(
                "peak memory {:.2} GiB",
                bytes as f64 / f64::from(1 << 30)
            ));
        }
    }
}

/// A batch and the state that it starts from.
pub struct Input {
    /// The state.
    pub state: State,
    /// The batch.
    pub batch: Batch,
}

/// Reads both files, timing them.
pub fn read_input(args: &BatchArgs, stages: &mut Stages) -> Result<Input> {
    set_threads(args.threads)?;
    let start = Instant::now();
    let batch: Batch = read_content("batch", &args.batch)?;
    let path = state_path(args)?;
    let file: StateFile = read_content("state", &path)?;
    let state = State::try_from(&file)
        .with_context(|| format!("{} holds no valid state", path.display()))?;
    stages.insert("read", start.elapsed().as_secs_f64());
    Ok(Input { state, batch })
}

fn read_content<T: FileContent>(what: &str, path: &Path) -> Result<T> {
    files::read(path)
        .map_err(|error| match error {
            // The path is named below, whatever the error.
            FileError::Io { source, .. } => source.into(),
            other => anyhow::Error::new(other),
        })
        .with_context(|| format!("cannot read the {what} {}", path.display()))
}

fn set_threads(threads: Option<usize>) -> Result<()> {
    let Some(threads) = threads else {
        return Ok(());
    };
    if threads == 0 {
        bail!("--threads must be at least 1");
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .context("cannot set the number of threads")
}

/// The state named by the user, or the genesis beside the batch.
fn state_path(args: &BatchArgs) -> Result<PathBuf> {
    if let Some(path) = &args.state {
        return Ok(path.clone());
    }
    let beside = args.batch.with_file_name("genesis.bin");
    if beside.exists() {
        return Ok(beside);
    }
    let json = args.batch.with_file_name("genesis.json");
    if json.exists() {
        return Ok(json);
    }
    bail!(
        "there is no {} beside the batch: name the state that it starts from with --state",
        beside.display()
    )
}

/// Says why transactions were left out, the first few one by one.
pub fn say_rejections(outcome: &Outcome, say: Say) {
    let shown = 10;
    let rejections = outcome.receipts.iter().enumerate();
    let mut count = 0;
    for (position, receipt) in rejections {
        if let Receipt::Rejected(reason) = receipt {
            count += 1;
            if count <= shown {
                say.line(format_args!("transaction {position} left out: {reason}"));
            }
        }
    }
    if count > shown {
        say.line(format_args!("... and {} more", count - shown));
    }
}

/// A digest as people see it.
pub fn hex(digest: &Digest) -> String {
    text::digest::to_hex(digest)
}

/// The profile of the circuits for the one on the command line.
pub fn profile(profile: args::Profile) -> Profile {
    match profile {
        args::Profile::Proven100 => Profile::Proven100,
        args::Profile::Conjectured100 => Profile::Conjectured100,
        args::Profile::UnsoundTest => Profile::UnsoundTest,
    }
}

/// The folder of built circuits.
pub fn cache_folder(args: &CacheArgs) -> Result<PathBuf> {
    args.cache
        .clone()
        .or_else(cache::default_root)
        .context("there is no home folder for the circuit cache: name one with --cache")
}

/// The work folder of a proof: `PROOF.partial` beside it.
pub fn partial_folder(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
