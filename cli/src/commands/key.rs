//! `key`: write the verification key of a profile.

use crate::contracts;
use anyhow::{Context, Result};
use shardfold_aggregator::{SettlementKey, VerificationKey};
use shardfold_fleet::engine::Engine;
use shardfold_fleet::settling::settlement_prover;
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
    let profile = profile(args.profile, args.unsound)?;
    let (name, bytes, id) = if args.settlement {
        let key = settlement_from_circuits(profile, &args.cache, printer)?;
        ("settlement", key.to_bytes(), key.id())
    } else {
        let key = from_circuits(profile, &args.cache, printer)?;
        ("verification", key.to_bytes(), key.id())
    };
    output.write(&bytes)?;
    let id = hex::encode(id);
    printer.line(format_args!(
        "{output}: {name} key of {}, id {id}",
        profile.name()
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

/// Returns the key of the profile's settlement proofs, from the cache or built.
pub fn settlement_from_circuits(
    profile: Profile,
    cache: &CacheArgs,
    printer: Printer,
) -> Result<SettlementKey> {
    let circuits = CircuitSet::new(contracts(), profile, &cache_folder(cache)?)
        .with_listener(circuit_listener(printer));
    let engine = Engine::new(circuits)?;
    let prover = settlement_prover(engine.circuits(), engine.key());
    Ok(prover.context("the settlement circuits")?.key())
}
