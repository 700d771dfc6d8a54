//! Batches with forged signatures: all are found, and what that costs.

use std::time::Duration;

use anyhow::ensure;
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::set::standard;
use shardfold_executor::prepare::prepare_all;
use shardfold_executor::workload::{Pattern, Workload, forge};
use shardfold_protocol::field::F;

use crate::measure::{Pools, time};
use crate::workloads::{Size, plan};

/// The time to hash and check a batch.
pub struct Forged {
    pub transactions: usize,
    pub forged: usize,
    pub threads: usize,
    pub took: Duration,
}

/// 10,000 transfers, or as many as the size has, with none, one, a hundredth and all forged.
pub fn measure(size: Size, pools: &Pools, rounds: usize) -> anyhow::Result<Vec<Forged>> {
    let transactions = size.transactions.min(10_000);
    let size = Size {
        transactions,
        ..size
    };
    let Workload { batch, .. } = plan(Pattern::Independent, size).build();
    let mut measured = Vec::new();
    for forged in [0, 1, transactions / 100, transactions] {
        let mut batch = batch.clone();
        let positions = forge(&mut batch, forged, 1);
        let chain_id = F::from_u64(batch.chain_id);
        for threads in pools.threads() {
            let mut best = Duration::MAX;
            for _ in 0..rounds {
                let mut took = Duration::ZERO;
                let prepared = pools.install(threads, || {
                    let prepare = || prepare_all(standard(), &batch.transactions, chain_id);
                    Ok(time(&mut took, prepare))
                })?;
                let authorities = prepared.iter().map(|prepared| prepared.authority);
                let found = authorities
                    .enumerate()
                    .filter(|(_, authority)| !authority.has_signed)
                    .map(|(position, _)| position);
                ensure!(found.eq(positions.iter().copied()), "other forgeries found");
                best = best.min(took);
            }
            measured.push(Forged {
                transactions,
                forged,
                threads,
                took: best,
            });
        }
    }
    Ok(measured)
}
