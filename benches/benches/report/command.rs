//! The `shardfold` command, as a user runs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use shardfold_protocol::shape::Shape;
use shardfold_recursion::profile::Profile;

/// What `prove --json` says in its last line, as far as the page needs it.
#[derive(Deserialize)]
pub struct Summary {
    pub transactions: u64,
    pub rejected: u64,
    /// From the files to the checked proof on disk.
    pub seconds: f64,
    /// Stages of shards that are proven at a time overlap.
    pub stages: BTreeMap<String, f64>,
    pub peak_memory_bytes: Option<u64>,
    pub cost: Cost,
}

/// What the proof took.
#[derive(Deserialize)]
pub struct Cost {
    pub shards: Vec<Shard>,
    pub cells: u64,
    pub core_seconds: f64,
    pub usd_per_core_hour: f64,
    pub per_million: PerMillion,
}

/// What a million such transactions take.
#[derive(Deserialize)]
pub struct PerMillion {
    pub usd: f64,
}

/// A shard, as far as it matters here.
#[derive(Deserialize)]
pub struct Shard {
    pub shape: Shape,
}

/// A proof.
pub struct Run {
    pub summary: Summary,
    pub proof_bytes: u64,
    /// Of the whole `verify` command.
    pub verify_seconds: f64,
}

/// The command with a profile.
pub struct Command {
    program: PathBuf,
    profile: &'static str,
}

impl Command {
    /// Finds the command among the results of `cargo build --release`.
    pub fn new(target: &Path, profile: Profile) -> anyhow::Result<Self> {
        let program = target.join("release/shardfold");
        let missing = || format!("{} is missing: cargo build --release", program.display());
        ensure!(program.exists(), missing());
        let profile = profile.name();
        Ok(Self { program, profile })
    }

    /// Builds the circuits, so that none is built while something is measured.
    pub fn setup(&self) -> anyhow::Result<()> {
        self.run(&["setup", "--profile", self.profile])?;
        Ok(())
    }

    /// Makes a batch of a trace.
    pub fn import(&self, trace: &Path, folder: &Path) -> anyhow::Result<()> {
        self.run(&["import", text(trace)?, "-o", text(folder)?])?;
        Ok(())
    }

    /// Proves the batch in a folder and verifies the proof.
    pub fn prove(&self, folder: &Path) -> anyhow::Result<Run> {
        let (batch, proof) = (folder.join("batch.bin"), folder.join("proof.bin"));
        let (batch, proof) = (text(&batch)?, text(&proof)?);
        let prove = ["prove", batch, "-o", proof, "--json", "--profile"];
        let output = self.run(&[&prove[..], &[self.profile]].concat())?;
        let last = output.lines().last().context("prove printed nothing")?;
        let summary = serde_json::from_str(last).with_context(|| last.to_owned())?;
        let start = Instant::now();
        self.run(&["verify", proof])?;
        Ok(Run {
            summary,
            proof_bytes: std::fs::metadata(proof)?.len(),
            verify_seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Runs it, and returns what it prints.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = process::Command::new(&self.program);
        let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
        ensure!(
            output.status.success(),
            "shardfold {arguments:?}: {}",
            output.status
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path is no text")
}
