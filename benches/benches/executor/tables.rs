//! The figures as markdown.

use std::fmt::{self, Write as _};
use std::time::Duration;

use shardfold_benches::machine;

use crate::Measured;
use crate::forged::Forged;
use crate::measure::{Mode, Timing, Variant};
use crate::rules::Rules;
use crate::workloads::Size;

/// Where and when.
pub fn machine(report: &mut String, size: Size, rounds: usize) -> fmt::Result {
    let unknown = || "unknown".to_owned();
    let date = machine::date().unwrap_or_else(unknown);
    let commit = machine::commit().unwrap_or_else(unknown);
    writeln!(
        report,
        "{}, {} cores.",
        machine::processor(),
        machine::cores()
    )?;
    writeln!(report, "{date}, commit {commit}.")?;
    writeln!(
        report,
        "{} transactions, {} vaults, {} keys; the best of {rounds} rounds.",
        size.transactions, size.vaults, size.keys
    )
}

/// Each workload, mode and number of threads, stage by stage.
pub fn stages(report: &mut String, measured: &[Measured]) -> fmt::Result {
    report.push_str(
        "\n## From bytes to receipts, state root and witnesses\n\n\
         Seconds, and the share of the whole. `prepare` is hashes and signatures, and \
         beside them the parallel executor's schedule; `rules` the rules and the receipts; `cut` \
         the shards, the state root and the witnesses.\n\n\
         | workload | executor | threads | decode | prepare | rules | cut | all | per second |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for workload in measured {
        for (Variant { mode, threads }, timing) in &workload.timings {
            let all = timing.total();
            let stages = [timing.decode, timing.prepare, timing.rules, timing.cut];
            let [decode, prepare, rules, cut] = stages.map(|stage| share(stage, all));
            let per_second = workload.transactions as f64 / all.as_secs_f64();
            writeln!(
                report,
                "| {} | {} | {threads} | {decode} | {prepare} | {rules} | {cut} | {:.3} | {per_second:.0} |",
                workload.name,
                name(*mode),
                all.as_secs_f64(),
            )?;
        }
    }
    report.push_str("\n| workload | transactions | valid | shards |\n| --- | --- | --- | --- |\n");
    for workload in measured {
        let Measured {
            name,
            transactions,
            accepted,
            shards,
            ..
        } = workload;
        writeln!(
            report,
            "| {name} | {transactions} | {accepted} | {shards} |"
        )?;
    }
    Ok(())
}

/// What threads gain, and what the schedule costs or gains against the sequential executor.
pub fn ratios(report: &mut String, measured: &[Measured]) -> fmt::Result {
    report.push_str(
        "\n## Ratios\n\n\
         `rules` and `all` set the parallel executor's time against the sequential one's with as \
         many threads: below 1 is faster. `gain` is one thread's time over this.\n\n\
         | workload | threads | rules, ns each: sequential | parallel | rules | all | gain |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for workload in measured {
        let find = |mode, threads| {
            let variant = Variant { mode, threads };
            let found = workload.timings.iter().find(|(other, _)| *other == variant);
            found.map(|(_, timing)| timing)
        };
        for (Variant { mode, threads }, timing) in &workload.timings {
            let sequential = find(Mode::Sequential, *threads);
            let (Mode::Parallel, Some(sequential)) = (mode, sequential) else {
                continue;
            };
            let gain = find(Mode::Parallel, 1).map_or(1.0, |one| ratio(one, timing, Timing::total));
            let each = |timing: &Timing| timing.rules.as_nanos() / workload.transactions as u128;
            writeln!(
                report,
                "| {} | {threads} | {} | {} | {:.2} | {:.3} | {gain:.2} |",
                workload.name,
                each(sequential),
                each(timing),
                ratio(timing, sequential, |timing| timing.rules),
                ratio(timing, sequential, Timing::total),
            )?;
        }
    }
    Ok(())
}

/// Schedule, rules and receipts alone.
pub fn rules(report: &mut String, measured: &[Rules]) -> fmt::Result {
    report.push_str(
        "\n## Rules alone\n\n\
         Schedule, rules and receipts, nanoseconds a transaction; the sequential executor has no \
         schedule.\n\n\
         | workload | executor | threads | ns | sequential is 1 |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for workload in measured {
        let sequential = workload.timings.first().map(|(_, took)| took.as_secs_f64());
        for (Variant { mode, threads }, took) in &workload.timings {
            writeln!(
                report,
                "| {} | {} | {threads} | {} | {:.2} |",
                workload.pattern.name(),
                name(*mode),
                took.as_nanos() / workload.transactions as u128,
                took.as_secs_f64() / sequential.unwrap_or(f64::NAN)
            )?;
        }
    }
    Ok(())
}

/// Batches with forged signatures.
pub fn forged(report: &mut String, measured: &[Forged]) -> fmt::Result {
    report.push_str(
        "\n## Forged signatures\n\n\
         Hashes and signatures of a batch; all forged ones are found, and no others.\n\n\
         | transactions | forged | threads | seconds | µs of a core each |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for Forged {
        transactions,
        forged,
        threads,
        took,
    } in measured
    {
        let seconds = took.as_secs_f64();
        let each = seconds * 1e6 * *threads as f64 / *transactions as f64;
        writeln!(
            report,
            "| {transactions} | {forged} | {threads} | {seconds:.3} | {each:.1} |"
        )?;
    }
    Ok(())
}

/// The name of an executor.
pub const fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Sequential => "sequential",
        Mode::Parallel => "parallel",
    }
}

fn share(stage: Duration, all: Duration) -> String {
    let (seconds, all) = (stage.as_secs_f64(), all.as_secs_f64());
    format!("{seconds:.3} ({:.0} %)", 100.0 * seconds / all)
}

fn ratio(above: &Timing, below: &Timing, of: impl Fn(&Timing) -> Duration) -> f64 {
    of(above).as_secs_f64() / of(below).as_secs_f64()
}
