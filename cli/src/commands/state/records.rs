//! `state get` and `state prove`: single records.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_protocol::files;
use shardfold_protocol::head::Head;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::record::Index;
use shardfold_protocol::state::State;
use shardfold_store::FILE;

use super::open;
use crate::args::{GetArgs, ProveRecordArgs};
use crate::commands::input::cannot_use;
use crate::commands::record::RecordReport;
use crate::output::{Places, Printer, print};

/// What `get` prints for machines.
#[derive(Serialize)]
struct Found {
    head: Head,
    records: Vec<RecordReport>,
}

/// Runs `get`.
pub fn get(args: &GetArgs) -> Result<()> {
    let printer = Printer::new(args.database.json);
    let state = part(&args.database.state, &args.indices)?;
    let records = args.indices.iter();
    let found = Found {
        head: *state.head(),
        records: records
            .map(|&index| RecordReport::new(index, state.tree().get(index)))
            .collect(),
    };
    for record in &found.records {
        printer.answer(format_args!("{}", record.line()))?;
    }
    printer.object(&found)
}

/// Runs `prove`.
pub fn prove(args: &ProveRecordArgs) -> Result<()> {
    let mut places = Places::new([args.state.join(FILE)]);
    let named = args.output.as_deref();
    let output = named.map(|path| places.output(path, 0)).transpose()?;
    let printer = places.printer(false)?;
    let state = part(&args.state, &[args.index])?;
    let inclusion = Inclusion {
        chain_id: state.chain_id(),
        head: *state.head(),
        proof: state.tree().prove_record(args.index),
    };
    let bytes = files::to_json(&inclusion)?;
    let Some(output) = output else {
        return print(&bytes);
    };
    output.write(&bytes)?;
    let record = RecordReport::new(args.index, inclusion.proof.record);
    printer.line(format_args!("{}", record.line()));
    printer.line(format_args!(
        "{output}: proof for the head after transaction {}",
        inclusion.head.tx_count
    ));
    Ok(())
}

/// The state with these records, checked against the head.
fn part(folder: &Path, indices: &[Index]) -> Result<State> {
    let view = open(folder)?;
    view.part_of(indices.iter().copied())
        .with_context(|| cannot_use(folder))
}
