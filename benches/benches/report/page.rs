//! The page's text.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use shardfold_benches::machine;
use shardfold_recursion::profile::Profile;

use crate::Measured;
use crate::command::Shard;

/// The stages in the order of the work, and what the page calls them.
pub const STAGES: [(&str, &str); 10] = [
    ("read", "read"),
    ("execute", "execute"),
    ("witnesses", "cut, witnesses"),
    ("submit", "hand over"),
    ("circuits", "wait for circuits"),
    ("traces", "traces"),
    ("stark", "STARK"),
    ("shard_circuit", "shard proofs"),
    ("aggregate", "aggregations"),
    ("finish", "last proof"),
];

/// Everything that was measured, between two runs of the yardstick.
pub fn write(
    profile: Profile,
    measured: &[Measured],
    yardstick: [f64; 2],
) -> Result<String, fmt::Error> {
    let mut page = String::from("# Shardfold on one machine\n\n");
    machine_table(&mut page)?;
    let [before, after] = yardstick;
    writeln!(
        page,
        "\nProfile {}. The yardstick is a plain circuit of 2^14 Poseidon rows, proven by plonky2's\n\
         own prover: {before:.2} s before all runs, {after:.2} s after them.\n",
        profile.name()
    )?;
    if profile == Profile::UnsoundTest {
        page.push_str("The profile proves nothing: no figure is fit for a comparison.\n\n");
    }
    rates(&mut page, measured, f64::midpoint(before, after))?;
    page.push_str("\n![seconds by stage](report.svg)\n\n## Seconds by stage\n\n");
    stages(&mut page, measured)?;
    page.push_str("\n## Proofs and money\n\n");
    proofs(&mut page, measured)?;
    Ok(page)
}

fn machine_table(page: &mut String) -> fmt::Result {
    let unknown = || "unknown".to_owned();
    writeln!(page, "| | |\n| --- | --- |")?;
    writeln!(page, "| processor | {} |", machine::processor())?;
    writeln!(page, "| threads | {} |", machine::cores())?;
    let memory = gibibytes(machine::memory_bytes());
    writeln!(page, "| memory | {memory} GiB |")?;
    let date = machine::date().unwrap_or_else(unknown);
    writeln!(page, "| date | {date} |")?;
    let commit = machine::commit().unwrap_or_else(unknown);
    writeln!(page, "| commit | {commit} |")?;
    let load = machine::load().unwrap_or_else(unknown);
    writeln!(page, "| load average after the runs | {load} |")
}

fn rates(page: &mut String, measured: &[Measured], yardstick: f64) -> fmt::Result {
    page.push_str(
        "| batch | transactions | left out | shards | seconds, all in | transactions a second | \
         times the yardstick | proofs a second | peak memory, GiB |\n\
         | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for Measured { name, run, .. } in measured {
        let summary = &run.summary;
        let rate = summary.transactions as f64 / summary.seconds;
        let shards = &summary.cost.shards;
        // Of shards, of aggregations that this many shards need at least, and the last one.
        writeln!(
            page,
            "| {name} | {} | {} | {} | {:.1} | {rate:.1} | {:.0} | {:.3} | {} |",
            summary.transactions,
            summary.rejected,
            shapes(shards),
            summary.seconds,
            rate * yardstick,
            (shards.len() + 1) as f64 / summary.seconds,
            gibibytes(summary.peak_memory_bytes),
        )?;
    }
    page.push_str(
        "\nFrom the files to the checked proof on disk, circuits built before. Proofs are those of \
         shards and the last one; aggregations are not counted.\n\n",
    );
    for Measured { name, what, .. } in measured {
        writeln!(page, "- *{name}*: {what}.")?;
    }
    Ok(())
}

/// How many shards there are of each number of transactions.
fn shapes(shards: &[Shard]) -> String {
    let mut counts = BTreeMap::<usize, usize>::new();
    for shard in shards {
        *counts.entry(shard.shape.transactions()).or_default() += 1;
    }
    let counts = counts.iter();
    let counts: Vec<String> = counts
        .map(|(transactions, count)| format!("{count} of {transactions}"))
        .collect();
    counts.join(", ")
}

fn stages(page: &mut String, measured: &[Measured]) -> fmt::Result {
    page.push_str("| stage |");
    for one in measured {
        write!(page, " {} |", one.name)?;
    }
    writeln!(page, "\n| --- |{}", " ---: |".repeat(measured.len()))?;
    for (key, name) in STAGES {
        write!(page, "| {name} |")?;
        for one in measured {
            match one.run.summary.stages.get(key) {
                Some(seconds) => write!(page, " {seconds:.2} |")?,
                None => page.push_str(" |"),
            }
        }
        page.push('\n');
    }
    page.push_str("\nWhere shards are proven at a time, their stages overlap.\n");
    Ok(())
}

fn proofs(page: &mut String, measured: &[Measured]) -> fmt::Result {
    page.push_str(
        "| batch | proof, bytes | `verify`, ms | cells, million | core-seconds | USD for a million transactions |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for Measured { name, run, .. } in measured {
        let cost = &run.summary.cost;
        writeln!(
            page,
            "| {name} | {} | {:.0} | {:.1} | {:.1} | {:.3} |",
            run.proof_bytes,
            run.verify_seconds * 1e3,
            cost.cells as f64 / 1e6,
            cost.core_seconds,
            cost.per_million.usd,
        )?;
    }
    let price = measured
        .first()
        .map(|one| one.run.summary.cost.usd_per_core_hour);
    if let Some(price) = price {
        writeln!(
            page,
            "\nAn hour of a core at {price} USD, and all cores held to the end; `docs/commands.md` \
             says where and when that price is from."
        )?;
    }
    Ok(())
}

/// Bytes as GiB.
fn gibibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "unknown".to_owned(),
        |bytes| format!("{:.2}", bytes as f64 / f64::from(1 << 30)),
    )
}
