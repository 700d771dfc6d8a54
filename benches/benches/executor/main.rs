//! The executor from the bytes of a batch to receipts, state root and shard witnesses, on each
//! workload: `cargo bench -p shardfold-benches --bench executor`.
//!
//! Prints markdown and writes it with a plot, `executor.svg`, to `target/`. Arguments after
//! `--` choose some of its parts: `stages`, `rules`, `forged`. Environment:
//!
//! | variable | default |
//! | --- | --- |
//! | `SHARDFOLD_BENCH_FULL` | unset: 2,048 transactions over 2^13 vaults; set: 131,072 over 2^20 |
//! | `SHARDFOLD_BENCH_KEYS` | a key for each vault; or so many, vault i has key i modulo this |
//! | `SHARDFOLD_BENCH_WORKLOADS` | all; or some of their names, with commas between |
//! | `SHARDFOLD_BENCH_ROUNDS` | 3: the best of so many runs counts |
//! | `SHARDFOLD_TRACE` | `../shared/traces/mainnet.csv`, repeated or cut to the length |

mod forged;
mod measure;
mod plot;
mod rules;
mod tables;
mod workloads;

use std::path::Path;

use anyhow::Context as _;
use shardfold_benches::machine;

use measure::{Mode, Pools, Timing, Variant};
use workloads::Size;

/// What was measured on one workload, by [`Variant`].
struct Measured {
    name: String,
    transactions: usize,
    accepted: usize,
    shards: usize,
    timings: Vec<(Variant, Timing)>,
}

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` starts benchmarks too, but to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("cargo bench -p shardfold-benches --bench executor");
        return Ok(());
    }
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let runs = |part: &str| parts.is_empty() || parts.iter().any(|other| other == part);
    let (size, rounds) = (Size::from_env()?, rounds()?);
    let pools = Pools::new(machine::cores())?;

    let mut report = String::from("# The executor on one machine\n\n");
    tables::machine(&mut report, size, rounds)?;
    if runs("stages") {
        let measured = stages(size, &pools, rounds)?;
        tables::stages(&mut report, &measured)?;
        tables::ratios(&mut report, &measured)?;
        write(&target()?.join("executor.svg"), &plot::svg(&measured)?)?;
    }
    if runs("rules") {
        tables::rules(&mut report, &rules::measure(size, &pools, rounds)?)?;
    }
    if runs("forged") {
        tables::forged(&mut report, &forged::measure(size, &pools, rounds)?)?;
    }
    println!("{report}");
    write(&target()?.join("executor.md"), &report)
}

/// Each workload from bytes to witnesses.
fn stages(size: Size, pools: &Pools, rounds: usize) -> anyhow::Result<Vec<Measured>> {
    let variants = pools.variants(&[Mode::Sequential, Mode::Parallel]);
    let mut measured = Vec::new();
    for name in workloads::names()? {
        let Some(workload) = workloads::build(&name, size)? else {
            eprintln!("{name}: no trace, left out");
            continue;
        };
        eprintln!("{name}: {} transactions", workload.batch.transactions.len());
        measured.push(measure::measure(name, workload, pools, &variants, rounds)?);
    }
    Ok(measured)
}

fn rounds() -> anyhow::Result<usize> {
    let Ok(text) = std::env::var("SHARDFOLD_BENCH_ROUNDS") else {
        return Ok(3);
    };
    let rounds = text.parse().ok().filter(|&rounds| rounds > 0);
    rounds.with_context(|| format!("SHARDFOLD_BENCH_ROUNDS is {text:?}, expected 1 or more"))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("written to {}", path.display());
    Ok(())
}

/// The folder of build results, which holds cargo's own for benchmarks.
fn target() -> anyhow::Result<&'static Path> {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().context("cargo's target folder has no place")
}
