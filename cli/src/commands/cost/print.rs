//! What `cost` prints for people.

use anyhow::Result;

use super::Report;
use super::breakdown::{Breakdown, Shard};
use super::diff::{Change, Diff};
use super::predict::{Prediction, Spent};
use super::rates::Measured;
use crate::output::Printer;

/// How many shards people see.
const SHOWN: usize = 20;

/// Stages in their order, by the names that they have in JSON.
const STAGES: [(&str, &str); 7] = [
    ("execute", "execute, cut, witnesses"),
    ("circuits", "load circuits"),
    ("traces", "traces"),
    ("stark", "STARK"),
    ("shard_circuit", "shard proofs"),
    ("aggregate", "aggregations"),
    ("finish", "finish"),
];

/// Prints all of it.
pub fn report(report: &Report<'_>, measured: &Measured, printer: Printer) -> Result<()> {
    printer.answer(format_args!(
        "{}: {} transactions in {} shards, {} left out; profile {}",
        report.batch,
        report.transactions,
        report.breakdown.shards.len(),
        report.rejected,
        report.profile
    ))?;
    shards(&report.breakdown.shards, printer)?;
    cells(report.breakdown, printer)?;
    match &report.prediction {
        Some(prediction) => seconds(prediction, printer)?,
        None => no_rates(report.threads, measured, printer)?,
    }
    report
        .diff
        .iter()
        .try_for_each(|diff| changes(diff, printer))
}

fn shards(shards: &[Shard], printer: Printer) -> Result<()> {
    for (number, shard) in shards.iter().enumerate().take(SHOWN) {
        printer.answer(format_args!(
            "shard {} of {}: shape of {} transactions, blow-up {}, {} cells",
            number + 1,
            shards.len(),
            grouped(shard.shape.transactions() as u64),
            shard.blowup,
            grouped(shard.cells)
        ))?;
        for (name, room) in shard.used.named() {
            printer.answer(format_args!(
                "  {name:<14} {:>9} of {:>9} {:>6.1}%",
                grouped(room.used as u64),
                grouped(room.limit as u64),
                percent(room.used as u64, room.limit as u64)
            ))?;
        }
    }
    if shards.len() > SHOWN {
        let more = shards.len() - SHOWN;
        printer.answer(format_args!("... and {more} more shards"))?;
    }
    Ok(())
}

fn cells(breakdown: &Breakdown, printer: Printer) -> Result<()> {
    printer.answer(format_args!(
        "{:<24} {:>12} {:>12} {:>16} {:>7}",
        "cells", "transactions", "each", "all", "share"
    ))?;
    let line = |name, transactions, each, cells| {
        let share = percent(cells, breakdown.cells);
        printer.answer(format_args!(
            "  {name:<22} {transactions:>12} {each:>12} {:>16} {share:>6.1}%",
            grouped(cells)
        ))
    };
    for contract in &breakdown.contracts {
        let each = grouped(contract.cells_each.round() as u64);
        line(
            contract.name,
            grouped(contract.transactions),
            each,
            contract.cells,
        )?;
    }
    let shared = breakdown.shared;
    for (name, cells) in [
        ("records", shared.records),
        ("nodes", shared.nodes),
        ("fee vaults", shared.fee_vaults),
        ("owners", shared.owners),
        ("fixed tables", shared.fixed),
        ("padding", shared.padding),
        ("all", breakdown.cells),
    ] {
        line(name, String::new(), String::new(), cells)?;
    }
    Ok(())
}

fn seconds(prediction: &Prediction, printer: Printer) -> Result<()> {
    let (oldest, newest) = prediction.measured;
    let times = match oldest == newest {
        true => date(oldest),
        false => format!("{} to {}", date(oldest), date(newest)),
    };
    let threads = prediction.spent.threads;
    printer.answer(format_args!(
        "seconds, by what `prove` measured here with {threads} threads ({times})"
    ))?;
    for (stage, name) in STAGES {
        if let Some(seconds) = prediction.stages.get(stage) {
            printer.answer(format_args!("  {name:<24} {seconds:>12.3}"))?;
        } else if prediction.without.contains(&stage) {
            printer.answer(format_args!("  {name:<24} not measured yet"))?;
        }
    }
    let Spent { seconds, .. } = prediction.spent;
    printer.answer(format_args!("  {:<24} {seconds:>12.3}", "all"))?;
    for blowup in &prediction.scaled {
        printer.answer(format_args!(
            "no STARK of blow-up {blowup} was measured: its rate is that of another one, scaled"
        ))?;
    }
    for line in money(&prediction.spent) {
        printer.answer(format_args!("{line}"))?;
    }
    Ok(())
}

/// Returns what something cost in words.
pub fn money(spent: &Spent) -> [String; 2] {
    let per_million = spent.per_million;
    [
        format!(
            "{:.1} core-seconds, {:.6} USD at {} USD for an hour of a core",
            spent.core_seconds, spent.usd, spent.usd_per_core_hour
        ),
        format!(
            "a million such transactions: {:.0} core-seconds, {:.2} USD",
            per_million.core_seconds, per_million.usd
        ),
    ]
}

fn no_rates(threads: usize, measured: &Measured, printer: Printer) -> Result<()> {
    let others: Vec<_> = measured.threads.keys().map(usize::to_string).collect();
    match others.is_empty() {
        true => printer.answer(format_args!(
            "no seconds and no price: nothing was measured on this machine yet; prove a batch of \
             this profile once"
        )),
        false => printer.answer(format_args!(
            "no seconds and no price: nothing was measured with {threads} threads yet; prove a \
             batch once, or name with --threads how many there were: {}",
            others.join(", ")
        )),
    }
}

fn changes(diff: &Diff, printer: Printer) -> Result<()> {
    printer.answer(format_args!(
        "against {}, profile {}",
        diff.against, diff.profile
    ))?;
    printer.answer(format_args!(
        "  {:<24} {:>16} {:>16} {:>8}",
        "", "before", "after", "ratio"
    ))?;
    let line = |name: &str, change: &Change, digits: usize| {
        let figure = |figure: Option<f64>, digits| {
            figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
        };
        printer.answer(format_args!(
            "  {name:<24} {:>16} {:>16} {:>8}",
            figure(change.before, digits),
            figure(change.after, digits),
            figure(change.ratio, 4)
        ))
    };
    for contract in &diff.contracts {
        let name = format!("{}, cells each", contract.name);
        line(&name, &contract.cells_each, 0)?;
    }
    line("transactions", &diff.transactions, 0)?;
    line("shards", &diff.shards, 0)?;
    line("cells", &diff.cells, 0)?;
    line("seconds", &diff.seconds, 3)?;
    line("USD", &diff.usd, 6)
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

/// A number with a comma after each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The date and the time of day of seconds since 1970, in UTC.
fn date(seconds: u64) -> String {
    let (days, minutes) = (seconds / 86_400, seconds % 86_400 / 60);
    // Years that start in March, in spans of 400 years: a leap day is the last of its year.
    let day = days + 719_468;
    let (span, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        span * 400 + year + next,
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, expected) in cases {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn a_time_has_its_date() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59 UTC"),
            (1_795_687_320, "2026-11-26 10:02 UTC"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }
}
