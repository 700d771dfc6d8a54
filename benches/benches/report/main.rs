//! A report on this machine: `cargo bench -p shardfold-benches --bench report`.
//!
//! Prints markdown and writes it to `target/report.md`. Environment:
//!
//! | variable | default |
//! | --- | --- |
//! | `SHARDFOLD_REPORT_BATCH` | a batch with `genesis.bin` beside it; by default that of `examples/block-12459406`, or a generated one where it is missing |
//! | `SHARDFOLD_REPORT_PROFILE` | `proven-100`, as of the command line |
//! | `SHARDFOLD_REPORT_JOBS` | jobs at once, 1 by default, so that the stages add up to the whole |

mod cells;
mod end_to_end;
mod permutations;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use shardfold_benches::machine;
use shardfold_recursion::profile::Profile;

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` starts benchmarks too, but to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("cargo bench -p shardfold-benches --bench report");
        return Ok(());
    }
    let profile = profile()?;
    let mut report = String::from("# Shardfold on one machine\n\n");
    machine_section(&mut report)?;
    if profile == Profile::UnsoundTest {
        report.push_str("\nThe profile proves nothing: no figure below is fit for a comparison.\n");
    }
    // First, since the peak of memory is that of the whole process.
    let run = end_to_end::run(&mut report, profile)?;
    permutations::compare(&mut report, profile, &run)?;
    cells::table(&mut report, profile)?;
    println!("{report}");
    let path = target()?.join("report.md");
    std::fs::write(&path, report).with_context(|| format!("cannot write {}", path.display()))
}

fn profile() -> anyhow::Result<Profile> {
    let Ok(name) = std::env::var("SHARDFOLD_REPORT_PROFILE") else {
        return Ok(Profile::Proven100);
    };
    let names = Profile::ALL.map(Profile::name);
    Profile::named(&name)
        .with_context(|| format!("SHARDFOLD_REPORT_PROFILE is {name:?}, expected one of {names:?}"))
}

fn machine_section(report: &mut String) -> std::fmt::Result {
    let unknown = || "unknown".to_owned();
    let memory = gibibytes(machine::memory_bytes());
    writeln!(report, "| | |\n| --- | --- |")?;
    writeln!(report, "| processor | {} |", machine::processor())?;
    writeln!(report, "| threads | {} |", machine::cores())?;
    writeln!(report, "| memory | {memory} GiB |")?;
    writeln!(
        report,
        "| date | {} |",
        machine::date().unwrap_or_else(unknown)
    )?;
    writeln!(
        report,
        "| commit | {} |",
        machine::commit().unwrap_or_else(unknown)
    )
}

/// Bytes as GiB.
fn gibibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "unknown".to_owned(),
        |bytes| format!("{:.2}", bytes as f64 / f64::from(1 << 30)),
    )
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of build results, which holds cargo's own for benchmarks.
fn target() -> anyhow::Result<&'static Path> {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().context("cargo's target folder has no place")
}
