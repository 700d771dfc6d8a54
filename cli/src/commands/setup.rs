//! `setup`: build the circuits of a profile ahead of time.

use anyhow::Result;
use shardfold_circuits::shard::CircuitSet;

use super::{cache_folder, profile};
use crate::args::SetupArgs;
use crate::output::Say;
use crate::progress::circuit_listener;

/// Runs the command.
pub fn run(args: &SetupArgs) -> Result<()> {
    let say = Say::new(false);
    let folder = cache_folder(&args.cache)?;
    let profile = profile(args.profile);
    let circuits = CircuitSet::new(profile, &folder).with_listener(circuit_listener(say));
    for shape in profile.shapes() {
        circuits.shard(shape)?;
    }
    circuits.fold()?;
    say.line(format_args!(
        "the circuits of {} are in {}",
        profile.name(),
        folder.display()
    ));
    Ok(())
}
