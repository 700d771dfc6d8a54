//! Imports swaps of a trace that says what their pools held.

use anyhow::{Context, Result, ensure};
use shardfold_executor::workload::trace::{Options, PoolImport, PoolTrace};
use shardfold_protocol::head::check_time;

use super::{Outputs, batch_bytes};
use crate::args::ImportTrafficArgs;
use crate::exit::usage;
use crate::output::Printer;

/// Imports a file's bytes.
pub(super) fn run(
    args: &ImportTrafficArgs,
    options: Options,
    bytes: &[u8],
    outputs: &Outputs,
    printer: Printer,
) -> Result<()> {
    if args.deposits {
        return Err(usage(
            "--deposits is not for a trace with the reserves of its pools: these are at genesis",
        ));
    }
    let name = args.trace.display();
    let mut trace = PoolTrace::from_bytes(bytes).with_context(|| name.to_string())?;
    if let Some(limit) = args.limit {
        trace.swaps.truncate(limit);
    }
    ensure!(!trace.swaps.is_empty(), "{name} has no swaps to import");
    let import = PoolImport::new(&trace, options);
    let genesis = import.genesis();
    let batch = import.workload()?.batch;
    check_time(batch.before.time, batch.time)
        .context("no batch can have the time that was given, or that of the last swap")?;
    let mut assets = Vec::new();
    import.write_assets(&mut assets)?;
    outputs.write(&genesis, &assets, &batch_bytes(args, &batch)?)?;
    report(args, &trace, &import, printer);
    Ok(())
}

fn report(args: &ImportTrafficArgs, trace: &PoolTrace, import: &PoolImport, printer: Printer) {
    let below = import.swaps.iter().filter(|swap| swap.paid == 0).count();
    printer.line(format_args!(
        "{} swaps of {} tokens in {} pools with the reserves of the trace, {} swaps of both sides \
         skipped",
        import.swaps.len(),
        import.tokens.len(),
        import.pool_count(),
        trace.both_ways
    ));
    let scaled = import.tokens.iter().filter(|(_, digits)| *digits > 0);
    printer.line(format_args!(
        "{} tokens are scaled, so that reserves are below 2^61; {below} swaps are below one unit \
         and will be left out",
        scaled.count()
    ));
    printer.line(format_args!(
        "written to {}: genesis.bin, the batch, and assets.csv, which numbers the tokens",
        args.output.display()
    ));
}
