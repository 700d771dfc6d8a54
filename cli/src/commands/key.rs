//! `key`: write the verification key of a profile.

use anyhow::Result;
use shardfold_aggregator::VerificationKey;
use shardfold_fleet::engine::Engine;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use super::{cache_folder, profile};
use crate::args::{CacheArgs, KeyArgs};
use crate::output::{Say, write_file};
use crate::progress::circuit_listener;

/// Runs the command.
pub fn run(args: &KeyArgs) -> Result<()> {
    let say = Say::new(false);
    let profile = profile(args.profile, args.unsound)?;
    let key = from_circuits(profile, &args.cache, say)?;
    write_file(&args.output, &key.to_bytes())?;
    say.line(format_args!(
        "{}: verification key of {}, id {}",
        args.output.display(),
        key.profile(),
        hex::encode(key.id())
    ));
    Ok(())
}

/// The key of the profile's fold circuit, from the cache or built.
pub fn from_circuits(profile: Profile, cache: &CacheArgs, say: Say) -> Result<VerificationKey> {
    let circuits =
        CircuitSet::new(profile, &cache_folder(cache)?).with_listener(circuit_listener(say));
    Ok(Engine::new(circuits)?.key().clone())
}
