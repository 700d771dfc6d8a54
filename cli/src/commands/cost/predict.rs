//! Seconds and money, from counts and measured rates.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::breakdown::Breakdown;
use super::rates::{Rate, Rates};

/// How long proving a batch takes, as far as rates say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// When the oldest and the newest rate were measured, in seconds since 1970.
    pub measured: (u64, u64),
    /// Seconds by stage, with the names that `prove` has for them; they add up.
    pub stages: BTreeMap<&'static str, f64>,
    /// Stages for which nothing was measured yet, so that their seconds are missing.
    pub without: Vec<&'static str>,
    /// Blow-ups whose STARK was not measured: their rates are those of another one, scaled.
    pub scaled: Vec<usize>,
    /// All of it, and what it costs.
    #[serde(flatten)]
    pub spent: Spent,
}

/// What seconds of all threads cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spent {
    /// Threads, each counted as a core.
    pub threads: usize,
    /// Seconds.
    pub seconds: f64,
    /// Seconds times threads: all are held until the end, whether or not they work.
    pub core_seconds: f64,
    /// US dollars for an hour of one core.
    pub usd_per_core_hour: f64,
    /// US dollars.
    pub usd: f64,
    /// The same for a million transactions like these.
    pub per_million: PerMillion,
}

/// What a million transactions cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerMillion {
    /// Seconds.
    pub seconds: f64,
    /// Seconds times threads.
    pub core_seconds: f64,
    /// US dollars.
    pub usd: f64,
}

impl Spent {
    /// Returns what so many seconds for so many transactions, at least one, cost.
    pub fn new(seconds: f64, threads: usize, price: f64, transactions: u64) -> Self {
        let core_seconds = seconds * threads as f64;
        let usd = core_seconds / 3600.0 * price;
        let for_a_million = 1e6 / transactions as f64;
        Self {
            threads,
            seconds,
            core_seconds,
            usd_per_core_hour: price,
            usd,
            per_million: PerMillion {
                seconds: seconds * for_a_million,
                core_seconds: core_seconds * for_a_million,
                usd: usd * for_a_million,
            },
        }
    }
}

impl Prediction {
    /// Predicts from what was measured with as many threads, where an aggregation joins `arity`
    /// proofs; `None` if nothing was measured.
    pub fn new(
        batch: &Breakdown,
        arity: usize,
        rates: &Rates,
        threads: usize,
        price: f64,
    ) -> Option<Self> {
        let times = || rates.all().map(|rate| rate.measured);
        let measured = (times().min()?, times().max()?);
        let transactions = batch.transactions();
        let shards = batch.shards.len();
        let work = [
            ("execute", transactions as f64, rates.execute),
            ("circuits", 1.0, rates.circuits),
            ("traces", batch.cells as f64, rates.traces),
            ("shard_circuit", shards as f64, rates.shard_circuit),
            (
                "aggregate",
                aggregations(shards, arity) as f64,
                rates.aggregate,
            ),
            ("finish", 1.0, rates.finish),
        ];
        let (mut stages, mut without) = (BTreeMap::new(), vec![]);
        for (stage, amount, rate) in work {
            match rate {
                Some(rate) => {
                    stages.insert(stage, amount * rate.seconds);
                }
                None if amount > 0.0 => without.push(stage),
                None => {}
            }
        }
        let scaled = match stark(batch, &rates.stark) {
            Some((seconds, scaled)) => {
                stages.insert("stark", seconds);
                scaled
            }
            None => {
                without.push("stark");
                vec![]
            }
        };
        let seconds = stages.values().sum();
        Some(Self {
            measured,
            stages,
            without,
            scaled,
            spent: Spent::new(seconds, threads, price, transactions),
        })
    }
}

/// Returns the seconds of the STARKs, and the blow-ups that were not measured: what is extended,
/// hashed and opened grows with the blow-up. `None` if no blow-up was measured.
fn stark(batch: &Breakdown, rates: &BTreeMap<usize, Rate>) -> Option<(f64, Vec<usize>)> {
    let (mut seconds, mut scaled) = (0.0, BTreeSet::new());
    for shard in &batch.shards {
        let rate = match rates.get(&shard.blowup) {
            Some(rate) => rate.seconds,
            None => {
                scaled.insert(shard.blowup);
                let nearest = |&(&blowup, _): &(&usize, _)| blowup.abs_diff(shard.blowup);
                let (&blowup, rate) = rates.iter().min_by_key(nearest)?;
                rate.seconds * shard.blowup as f64 / blowup as f64
            }
        };
        seconds += rate * shard.cells as f64;
    }
    Some((seconds, scaled.into_iter().collect()))
}

/// How many aggregations a batch of so many shards, at least one, has: as the manifest lays its jobs
/// out, level by level, where a proof without neighbours waits for the next level.
fn aggregations(shards: usize, arity: usize) -> usize {
    let (mut level, mut count) = (shards, 0);
    while level > 1 {
        let alone = usize::from(level % arity == 1);
        let next = level.div_ceil(arity);
        (level, count) = (next, count + next - alone);
    }
    count
}

#[cfg(test)]
mod tests;
