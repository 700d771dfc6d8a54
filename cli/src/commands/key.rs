//! `key`: write the verification key of a profile.

use crate::contracts;
use anyhow::Result;
use shardfold_aggregator::VerificationKey;
use shardfold_fleet::engine::Engine;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use super::{cache_folder, profile};
use crate::args::{CacheArgs, KeyArgs};
use crate::output::{Places, Printer};
use crate::progress::circuit_listener;

/// No key is longer.
const KEY_BYTES: u64 = 4096;

/// Runs the command.
pub fn run(args: &KeyArgs) -> Result<()> {
    let mut places = Places::new([]);
    let output = places.output(&args.output, KEY_BYTES)?;
    let printer = places.printer(false)?;
    let key = from_circuits(profile(args.profile, args.unsound)?, &args.cache, printer)?;
    output.write(&key.to_bytes())?;
    printer.line(format_args!(
        "{output}: verification key of {}, id {}",
        key.profile(),
        hex::encode(key.id())
    ));
    Ok(())
}

/// Returns the key of the profile's last circuit, from the cache or built.
pub fn from_circuits(
    profile: Profile,
    cache: &CacheArgs,
    printer: Printer,
) -> Result<VerificationKey> {
    let circuits = CircuitSet::new(contracts(), profile, &cache_folder(cache)?)
        .with_listener(circuit_listener(printer));
    Ok(Engine::new(circuits)?.key().clone())
}
