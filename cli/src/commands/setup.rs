//! `setup`: build the circuits of a profile ahead of time.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::contracts;
use anyhow::{Context, Result};
use shardfold_fleet::engine::Engine;
use shardfold_prover::CircuitSet;
use shardfold_prover::cache::{Listener, Progress, prune};
use shardfold_recursion::profile::Profile;

use super::cost::rates;
use super::{cache_folder, profile};
use crate::args::SetupArgs;
use crate::exit::cannot;
use crate::output::{Printer, check_folder, gib};
use crate::progress::circuit_listener;

/// Runs the command.
pub fn run(args: &SetupArgs) -> Result<()> {
    let printer = Printer::new(false);
    let folder = cache_folder(&args.cache)?;
    let profile = profile(args.profile, args.unsound)?;
    let circuits = CircuitSet::new(contracts(), profile, &folder);
    if !circuits.cache().path("last").exists() {
        check_folder(&folder, 0)?;
    }
    let lost = Arc::new(Mutex::new(Vec::new()));
    let circuits = circuits.with_listener(listener(printer, lost.clone()));
    for shape in profile.shapes() {
        circuits.shard(shape)?;
    }
    Engine::new(circuits)?.aggregation()?;
    let lost = lost.lock().unwrap_or_else(|error| error.into_inner());
    if !lost.is_empty() {
        return Err(cannot(format!(
            "these circuits of {} could not be kept in {}: {}",
            profile.name(),
            folder.display(),
            lost.join(", ")
        )));
    }
    printer.line(format_args!(
        "the circuits of {} are in {}",
        profile.name(),
        folder.display()
    ));
    if args.prune {
        prune_others(&folder, printer)?;
    }
    Ok(())
}

/// Says what happens, and notes which circuits could not be kept.
fn listener(printer: Printer, lost: Arc<Mutex<Vec<String>>>) -> Box<Listener> {
    let told = circuit_listener(printer);
    Box::new(move |name, progress| {
        told(name, progress);
        if let Progress::NotStored(_) = progress {
            let mut lost = lost.lock().unwrap_or_else(|error| error.into_inner());
            lost.push(name.to_owned());
        }
    })
}

/// Leaves what this build uses, in any profile.
fn prune_others(folder: &Path, printer: Printer) -> Result<()> {
    let own = Profile::ALL.map(|profile| CircuitSet::new(contracts(), profile, folder));
    let caches = own.each_ref().map(CircuitSet::cache);
    let pruned = rates::prune(folder, &own.each_ref().map(rates::path))
        .and_then(|()| Ok(prune(folder, &caches)?))
        .with_context(|| format!("circuits of other builds in {}", folder.display()))?;
    printer.line(format_args!(
        "removed {} circuits of other builds, {:.2} GiB",
        pruned.files,
        gib(pruned.bytes)
    ));
    Ok(())
}
