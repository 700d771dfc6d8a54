//! `verify` on a settlement proof.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use shardfold_aggregator::{SettlementKey, SettlementProof, verify_settlement};
use shardfold_contracts::set::standard;
use shardfold_protocol::data::Settlement;

use crate::args::UnsoundArgs;
use crate::commands::allow;
use crate::commands::verify::{KnownKey, Verified};
use crate::contracts;
use crate::output::read_file;

/// The settlement keys over the built-in verification keys, made by `shardfold wrap`.
const BUILT_IN: [&[u8]; 2] = [
    include_bytes!("../../../keys/settlement-proven-100.key"),
    include_bytes!("../../../keys/settlement-conjectured-100.key"),
];

/// Verifies the proof under the key that the user names or one that is built in.
pub fn verify(
    proof: &SettlementProof,
    named: Option<&Path>,
    unsound: UnsoundArgs,
) -> Result<Verified> {
    match verify_under_any(proof, named, unsound)? {
        Some((key, settlement, time)) => verified(&key, settlement, time),
        None => bail!("there is no settlement key to verify it under: name one with --key"),
    }
}

/// The key under which the proof verifies, of those that the user names or that are built in; what it
/// states, and how long that took. `None` if there is no key at all.
pub fn verify_under_any(
    proof: &SettlementProof,
    named: Option<&Path>,
    unsound: UnsoundArgs,
) -> Result<Option<(SettlementKey, Settlement, Duration)>> {
    let mut refusal = None;
    for key in keys(named)? {
        allow(key.profile(), unsound)?;
        let start = Instant::now();
        match verify_settlement(&key, proof) {
            Ok(settlement) => return Ok(Some((key, settlement, start.elapsed()))),
            Err(error) => refusal = refusal.or(Some((key.profile().name(), error))),
        }
    }
    match refusal {
        Some((profile, error)) => {
            Err(error).with_context(|| format!("under the settlement key of the profile {profile}"))
        }
        None => Ok(None),
    }
}

fn verified(key: &SettlementKey, settlement: Settlement, time: Duration) -> Result<Verified> {
    Ok(Verified {
        key: KnownKey {
            profile: key.profile(),
            id: key.id(),
            is_built_in: built_in_keys()?.contains(key),
        },
        statement: settlement.statement,
        evaluation: Some(settlement.evaluation),
        milliseconds: time.as_secs_f64() * 1000.0,
    })
}

/// The key that the user names, or those that are built in.
pub fn keys(named: Option<&Path>) -> Result<Vec<SettlementKey>> {
    if let Some(path) = named {
        let bytes = read_file(path, SettlementProof::MAX_BYTES)?;
        let key = SettlementKey::from_bytes(&bytes)
            .with_context(|| format!("cannot use the key {}", path.display()))?;
        return Ok(vec![key]);
    }
    built_in_keys()
}

/// Returns the settlement keys that this binary holds: over those of the standard contracts.
pub fn built_in_keys() -> Result<Vec<SettlementKey>> {
    let is_standard = std::ptr::eq(contracts(), standard());
    let keys: &[&[u8]] = if is_standard { &BUILT_IN } else { &[] };
    keys.iter()
        .map(|bytes| {
            SettlementKey::from_bytes(bytes).context("a built-in settlement key is damaged")
        })
        .collect()
}
