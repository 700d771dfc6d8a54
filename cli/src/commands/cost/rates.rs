//! What `prove` has measured on this machine, kept beside the circuits of the profile.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use shardfold_prover::CircuitSet;

use crate::output::{Places, Printer};

/// The version of the file's form.
const VERSION: u32 = 1;
/// The name of the file.
const FILE: &str = "rates.json";

/// What was measured, by the number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    version: u32,
    /// By the number of threads.
    pub threads: BTreeMap<usize, Rates>,
}

/// Seconds of each stage for what there is to do in it. Where several jobs ran at once, each counts
/// for its part of the time that passed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// For a transaction: executing, cutting, making witnesses.
    pub execute: Option<Rate>,
    /// For a run: waiting for circuits that are loaded, most of them beside other work.
    pub circuits: Option<Rate>,
    /// For a committed cell: laying out the tables.
    pub traces: Option<Rate>,
    /// For a committed cell, by blow-up: the STARK.
    pub stark: BTreeMap<usize, Rate>,
    /// For a shard: the plonky2 proof that the STARK verifies.
    pub shard_circuit: Option<Rate>,
    /// For an aggregation.
    pub aggregate: Option<Rate>,
    /// For a batch: the finish.
    pub finish: Option<Rate>,
}

/// A rate, and when it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Seconds for one of what is counted.
    pub seconds: f64,
    /// Seconds since 1970.
    pub measured: u64,
}

/// How much of something was done, and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// How much.
    pub amount: f64,
    /// How long, in seconds.
    pub seconds: f64,
}

impl Tally {
    /// Adds what was done.
    pub fn add(&mut self, amount: f64, took: Duration) {
        self.amount += amount;
        self.seconds += took.as_secs_f64();
    }

    /// Returns the rate as of now, its seconds times `scale`; none if nothing was done.
    pub fn rate(&self, scale: f64) -> Option<Rate> {
        let seconds = self.seconds * scale / self.amount;
        (self.amount > 0.0 && seconds.is_finite()).then(|| Rate {
            seconds,
            measured: now(),
        })
    }
}

/// Seconds since 1970 by this machine's clock.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

impl Default for Measured {
    fn default() -> Self {
        Self {
            version: VERSION,
            threads: BTreeMap::new(),
        }
    }
}

impl Rates {
    /// Returns all of them.
    pub fn all(&self) -> impl Iterator<Item = &Rate> {
        let single = [
            &self.execute,
            &self.circuits,
            &self.traces,
            &self.shard_circuit,
            &self.aggregate,
            &self.finish,
        ];
        single.into_iter().flatten().chain(self.stark.values())
    }

    /// Puts newer rates in the place of these; what was not measured again stays.
    fn update(&mut self, newer: Self) {
        let Self {
            execute,
            circuits,
            traces,
            stark,
            shard_circuit,
            aggregate,
            finish,
        } = newer;
        self.stark.extend(stark);
        for (old, new) in [
            (&mut self.execute, execute),
            (&mut self.circuits, circuits),
            (&mut self.traces, traces),
            (&mut self.shard_circuit, shard_circuit),
            (&mut self.aggregate, aggregate),
            (&mut self.finish, finish),
        ] {
            *old = new.or(*old);
        }
    }
}

/// Returns where the rates of a profile's circuits are kept: those of other circuits are others.
pub fn path(circuits: &CircuitSet) -> PathBuf {
    // In the folder of any of its circuits.
    circuits.cache().path("any").with_file_name(FILE)
}

/// Reads the rates; there are none if nothing was measured yet.
///
/// # Errors
/// A file that cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Measured> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Measured::default()),
        bytes => bytes,
    };
    let parse = |bytes: Vec<u8>| {
        let measured: Measured = serde_json::from_slice(&bytes)?;
        let found = measured.version;
        ensure!(
            found == VERSION,
            "found version {found}, expected {VERSION}"
        );
        for rate in measured.threads.values().flat_map(Rates::all) {
            let found = rate.seconds;
            ensure!(found >= 0.0, "found {found} seconds, expected none below 0");
        }
        Ok(measured)
    };
    bytes
        .map_err(anyhow::Error::new)
        .and_then(parse)
        .with_context(|| format!("the rates in {} cannot be used", path.display()))
}

/// Keeps what was measured with so many threads. That it cannot be kept, or that what was there
/// cannot be read, is said and passed by: it can be measured again.
pub fn keep(path: &Path, threads: usize, newer: Rates, printer: Printer) {
    let mut measured = read(path).unwrap_or_else(|error| {
        printer.line(format_args!("{error:#}: they are measured anew"));
        Measured::default()
    });
    measured.threads.entry(threads).or_default().update(newer);
    if let Err(error) = write(path, &measured) {
        printer.line(format_args!("what was measured is not kept: {error:#}"));
    }
}

fn write(path: &Path, measured: &Measured) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(measured)?;
    Places::new([]).output(path, 0)?.write(&bytes)
}

/// Removes the rates of other circuits than these: a folder with nothing else goes with its
/// circuits.
pub fn prune(root: &Path, kept: &[PathBuf]) -> Result<()> {
    let folders = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        folders => folders?,
    };
    for folder in folders {
        let path = folder?.path().join(FILE);
        let is_ours = path.is_file() && read(&path).is_ok();
        if is_ours && !kept.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
