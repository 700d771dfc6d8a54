//! One page about this machine: `cargo build --release && cargo bench -p shardfold-benches --bench report`.
//!
//! Proves five batches with the command itself, each in a process of its own, between two
//! measurements of plonky2 alone, and writes `target/report.md` and `target/report.svg`.
//! Some ten minutes on two cores once the circuits are built. Environment:
//!
//! | variable | default |
//! | --- | --- |
//! | `SHARDFOLD_REPORT_PROFILE` | `proven-100`, as of the command line |
//! | `SHARDFOLD_REPORT_TRACE` | `../shared/traces/mainnet.csv`; its line is left out where it is missing |
//! | `SHARDFOLD_REPORT_BATCHES` | names of batches, separated by commas: only these |
//! | `SHARDFOLD_REPORT_STREAM` | transactions of the stream, 98,304: three shards of the huge shape |

mod batches;
mod cells;
mod command;
mod page;
mod permutations;
mod plot;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use shardfold_recursion::profile::Profile;

use crate::batches::Named;
use crate::command::{Command, Run};
use crate::permutations::Yardstick;

/// A batch, and what its proof took.
pub struct Measured {
    /// What it is called.
    pub name: &'static str,
    /// What is in it.
    pub what: String,
    /// What its proof took.
    pub run: Run,
}

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` starts benchmarks too, but to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("cargo build --release && cargo bench -p shardfold-benches --bench report");
        return Ok(());
    }
    let profile = profile()?;
    let folder = tempfile::tempdir()?;
    let command = Command::new(&target()?, profile)?;
    let batches = batches::all(&command, folder.path())?;
    ensure!(
        !batches.is_empty(),
        "no batch has one of the names asked for"
    );
    command.setup()?;
    let yardstick = Yardstick::new();
    let before = yardstick.seconds()?;
    let mut measured = Vec::new();
    for Named { name, what, folder } in batches {
        eprintln!("proving {name}");
        let run = command.prove(&folder)?;
        measured.push(Measured { name, what, run });
    }
    let after = yardstick.seconds()?;
    drop(yardstick);
    let mut page = page::write(profile, &measured, [before, after])?;
    permutations::compare(&mut page, profile, f64::midpoint(before, after))?;
    cells::table(&mut page, profile)?;
    println!("{page}");
    write(&target()?.join("report.svg"), &plot::svg(&measured)?)?;
    write(&target()?.join("report.md"), &page)
}

fn profile() -> anyhow::Result<Profile> {
    let Ok(name) = std::env::var("SHARDFOLD_REPORT_PROFILE") else {
        return Ok(Profile::Proven100);
    };
    let names = Profile::ALL.map(Profile::name);
    Profile::named(&name)
        .with_context(|| format!("SHARDFOLD_REPORT_PROFILE is {name:?}, expected one of {names:?}"))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of build results, which holds cargo's own for benchmarks.
fn target() -> anyhow::Result<PathBuf> {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = tmp.parent().context("cargo's target folder has no place")?;
    Ok(target.to_owned())
}
