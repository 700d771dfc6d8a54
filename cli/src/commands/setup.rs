//! `setup`: build the circuits of a profile ahead of time.

use std::path::Path;

use anyhow::{Context, Result};
use shardfold_fleet::engine::fold_circuit;
use shardfold_prover::CircuitSet;
use shardfold_prover::cache::prune;
use shardfold_recursion::profile::Profile;

use super::{cache_folder, profile};
use crate::args::SetupArgs;
use crate::output::{Say, gib};
use crate::progress::circuit_listener;

/// Runs the command.
pub fn run(args: &SetupArgs) -> Result<()> {
    let say = Say::new(false);
    let folder = cache_folder(&args.cache)?;
    let profile = profile(args.profile, args.unsound)?;
    let circuits = CircuitSet::new(profile, &folder).with_listener(circuit_listener(say));
    for shape in profile.shapes() {
        circuits.shard(shape)?;
    }
    fold_circuit(&circuits)?;
    say.line(format_args!(
        "the circuits of {} are in {}",
        profile.name(),
        folder.display()
    ));
    if args.prune {
        prune_others(&folder, say)?;
    }
    Ok(())
}

/// Leaves what this build uses, in any profile.
fn prune_others(folder: &Path, say: Say) -> Result<()> {
    let own = Profile::ALL.map(|profile| CircuitSet::new(profile, folder));
    let own = own.each_ref().map(CircuitSet::cache);
    let pruned = prune(folder, &own)
        .with_context(|| format!("circuits of other builds in {}", folder.display()))?;
    say.line(format_args!(
        "removed {} circuits of other builds, {:.2} GiB",
        pruned.files,
        gib(pruned.bytes)
    ));
    Ok(())
}
