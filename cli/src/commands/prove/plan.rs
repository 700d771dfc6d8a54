//! Which batches are proven, and where to: looked at before the work.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shardfold_fleet::embedded::Embedded;

use crate::args::{DataMode, ProveArgs};
use crate::commands::input;
use crate::commands::settlement::changes_output;
use crate::exit::usage;
use crate::output::{Output, Places, check_folder};

/// No proof is shorter than a few pages, and few are longer.
const PROOF_BYTES: u64 = 256 << 10;
/// No settlement proof is longer.
const SETTLEMENT_BYTES: u64 = 256 << 10;

/// A batch on the command line.
pub struct Plan {
    /// The batch file.
    pub batch: PathBuf,
    /// Where its proof goes.
    pub output: Output,
    /// Where its settlement proof goes, if one is made.
    pub settlement: Option<Output>,
    /// Where its changes go, if they are asked for.
    pub changes: Option<Output>,
    /// Where what it changes will be published; by default where there is room.
    pub data: Option<DataMode>,
    /// Where witnesses and proofs of parts are kept until then.
    pub work_dir: PathBuf,
}

/// Returns what the run reads.
pub fn inputs(args: &ProveArgs) -> Vec<PathBuf> {
    let state = args.run.state.as_deref();
    let batches = args.batches.iter();
    let paths = batches.flat_map(|batch| input::paths(batch, state));
    let work_dirs = args
        .work_dir
        .iter()
        .flat_map(|folder| Embedded::files(folder));
    paths.chain(work_dirs).collect()
}

/// Returns where the settlement proof and the changes go, if they are made.
fn settlement(args: &ProveArgs, places: &mut Places) -> Result<[Option<Output>; 2]> {
    let named = [&args.settlement, &args.changes].map(Option::as_deref);
    if args.batches.len() != 1 && named.iter().any(Option::is_some) {
        return Err(usage("--settlement and --changes take one batch"));
    }
    let settlement = named[0].map(|path| places.output(path, SETTLEMENT_BYTES));
    let size = input::size(&args.batches[0]);
    Ok([
        settlement.transpose()?,
        changes_output(places, named[1], size)?,
    ])
}

/// Returns the batches in order, with a place for each proof that can be written.
pub fn plans(args: &ProveArgs, places: &mut Places) -> Result<Vec<Plan>> {
    let [settlement, changes] = settlement(args, places)?;
    if let [batch] = &args.batches[..] {
        let plan = plan(args, batch, &args.output, places)?;
        return Ok(vec![Plan {
            settlement,
            changes,
            ..plan
        }]);
    }
    if !args.run.state.as_ref().is_some_and(|state| state.is_dir()) {
        return Err(usage(
            "several batches need the folder of a state database as --state",
        ));
    }
    let batches = args.batches.iter();
    let named: Vec<(&PathBuf, PathBuf)> = batches
        .map(|batch| Ok((batch, proof_in(&args.output, batch)?)))
        .collect::<Result<_>>()?;
    for (number, (_, proof)) in named.iter().enumerate() {
        if named[..number].iter().any(|(_, earlier)| earlier == proof) {
            return Err(usage(format!(
                "two batches would have the proof {}",
                proof.display()
            )));
        }
    }
    let named = named.iter();
    named
        .map(|(batch, proof)| plan(args, batch, proof, places))
        .collect()
}

fn plan(args: &ProveArgs, batch: &Path, proof: &Path, places: &mut Places) -> Result<Plan> {
    let output = places.output(proof, PROOF_BYTES)?;
    let work_dir = match (&args.work_dir, output.file()) {
        (Some(folder), _) => folder.clone(),
        (None, Some(_)) => partial_folder(proof),
        // Beside a pipe or a device there is nothing.
        (None, None) => partial_folder(&proof_in(Path::new(""), batch)?),
    };
    Embedded::check(&work_dir)?;
    // A witness is longer than its transactions.
    check_folder(&work_dir, input::size(batch))?;
    Ok(Plan {
        batch: batch.to_owned(),
        output,
        settlement: None,
        changes: None,
        data: args.data,
        work_dir,
    })
}

/// The work folder of a proof: `PROOF.partial` beside it.
fn partial_folder(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// The name of a batch's proof in a folder.
fn proof_in(folder: &Path, batch: &Path) -> Result<PathBuf> {
    let name = batch.with_extension("proof");
    let name = name.file_name().map(OsStr::to_owned);
    let name = name.with_context(|| format!("{} is no file", batch.display()))?;
    Ok(folder.join(name))
}
