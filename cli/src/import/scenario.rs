//! A scenario as a genesis state and a signed batch for each of its times.

use std::path::Path;

use anyhow::{Context, Result};
use shardfold_executor::workload::scenario::{Built, MAX_BYTES, Options, Played, Scenario};
use shardfold_protocol::files;

use super::{batch_bytes, batch_name};
use crate::args::ImportArgs;
use crate::commands::{hex, shapes};
use crate::contracts;
use crate::exit::usage;
use crate::output::{Output, Places, Printer, read_file};

/// Plays a scenario and writes what it makes, or nothing.
pub fn run(args: &ImportArgs, path: &Path, printer: Printer) -> Result<()> {
    let bytes = read_file(path, MAX_BYTES)?;
    let place = || format!("cannot play the scenario {}", path.display());
    if bytes.len() as u64 > MAX_BYTES {
        return Err(usage(format!(
            "{} has more than {MAX_BYTES} bytes, expected a scenario of fewer",
            path.display()
        )));
    }
    let text = String::from_utf8(bytes)
        .context("found bytes that are no UTF-8 text")
        .with_context(place)?;
    let scenario = Scenario::read(&text).with_context(place)?;
    let outputs = Outputs::new(args, path, scenario.batches())?;
    let options = Options {
        seed: args.seed,
        chain_id: args.chain_id,
    };
    let built = scenario
        .build(contracts(), options, &shapes(&args.cut)?)
        .with_context(place)?;
    outputs.write(args, &built)?;
    report(args, &built, &outputs, printer);
    Ok(())
}

/// The files that are made.
struct Outputs {
    genesis: Output,
    names: Output,
    batches: Vec<(String, Output)>,
}

impl Outputs {
    /// Checks them before the work.
    fn new(args: &ImportArgs, scenario: &Path, batches: usize) -> Result<Self> {
        let mut places = Places::new([scenario.to_owned()]);
        let mut place = |name: &str| places.output(&args.output.join(name), 0);
        let stems: Vec<String> = match batches {
            1 => vec!["batch".to_owned()],
            batches => (1..=batches)
                .map(|number| format!("batch-{number}"))
                .collect(),
        };
        let names = stems.iter().map(|stem| batch_name(stem, args.format));
        Ok(Self {
            genesis: place("genesis.bin")?,
            batches: names
                .map(|name| Ok((name.clone(), place(&name)?)))
                .collect::<Result<_>>()?,
            names: place("names.csv")?,
        })
    }

    fn write(&self, args: &ImportArgs, built: &Built) -> Result<()> {
        self.genesis.write(&files::to_binary(&built.genesis)?)?;
        let mut names = Vec::new();
        built.write_names(&mut names)?;
        self.names.write(&names)?;
        for ((_, output), batch) in self.batches.iter().zip(&built.batches) {
            output.write(&batch_bytes(batch, args.format)?)?;
        }
        Ok(())
    }
}

/// Says what came of each statement, and what was written.
fn report(args: &ImportArgs, built: &Built, outputs: &Outputs, printer: Printer) {
    let shown = 50;
    for played in built.played.iter().take(shown) {
        printer.line(format_args!("{}", line(played, built)));
    }
    if built.played.len() > shown {
        printer.line(format_args!("... and {} more", built.played.len() - shown));
    }
    let names: Vec<_> = outputs
        .batches
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let batches = match names.as_slice() {
        [first, .., last] if names.len() > 3 => format!("{first} to {last}"),
        names => names.join(", "),
    };
    printer.line(format_args!(
        "written to {}: genesis.bin, {batches}, and names.csv, which says what lies where",
        args.output.display(),
    ));
    let head = built.after.head();
    let root = hex(&head.state_root);
    printer.line(format_args!("state root {root} after all of it"));
}

fn line(played: &Played, built: &Built) -> String {
    let Played {
        line,
        batch,
        who,
        verb,
        result,
        ..
    } = played;
    let who = who.as_ref().map_or(String::new(), |who| format!("{who}: "));
    let what = match result {
        Err(reject) => format!("refused, as expected: {} ({reject})", reject.reason.name()),
        Ok(_) if played.totals().is_empty() => "done".to_owned(),
        Ok(_) => {
            let totals = played.totals().into_iter();
            let totals = totals.map(|total| {
                let name = total.name.replace('_', " ");
                format!("{name} {}", built.money(total.asset, total.amount))
            });
            totals.collect::<Vec<_>>().join(", ")
        }
    };
    format!("line {line}, batch {}: {who}{verb}: {what}", batch + 1)
}
