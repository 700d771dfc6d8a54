//! Makes a genesis state and signed batches, of real traffic or of a scenario.

mod scenario;
mod traffic;

use anyhow::Result;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::files;

use crate::args::{Format, ImportArgs};
use crate::exit::usage;
use crate::output::Printer;

/// The `import` command.
pub fn run(args: &ImportArgs, printer: Printer) -> Result<()> {
    if args.chain_id >= MODULUS {
        return Err(usage(format!(
            "--chain-id {} is not a field element",
            args.chain_id
        )));
    }
    match (&args.scenario, &args.trace) {
        (Some(path), _) => scenario::run(args, path, printer),
        (None, Some(path)) => traffic::run(args, path, printer),
        // The command line does not get here.
        (None, None) => Err(usage("found neither a trace nor --scenario")),
    }
}

/// The name of a batch file.
fn batch_name(stem: &str, format: Format) -> String {
    match format {
        Format::Binary => format!("{stem}.bin"),
        Format::Json => format!("{stem}.json"),
    }
}

fn batch_bytes(batch: &Batch, format: Format) -> Result<Vec<u8>> {
    Ok(match format {
        Format::Binary => files::to_binary(batch)?,
        Format::Json => files::to_json(batch)?,
    })
}
