//! Schedule, rules and receipts alone, on batches that need no signing.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use shardfold_contracts::set::standard;
use shardfold_executor::outcome::Outcome;
use shardfold_executor::workload::{Builder, Keys, Pattern, genesis};
use shardfold_executor::{parallel, sequential};

use crate::measure::{Mode, Pools, Variant, time};
use crate::workloads::{self, Size};

/// The best time of each variant on one pattern.
pub struct Rules {
    pub pattern: Pattern,
    pub transactions: usize,
    pub timings: Vec<(Variant, Duration)>,
}

/// All patterns on one state; both executors must come to the same outcome.
pub fn measure(size: Size, pools: &Pools, rounds: usize) -> anyhow::Result<Vec<Rules>> {
    let keys = Keys::new(1, size.keys);
    let state = genesis(&keys, size.vaults);
    // On one thread the sequential executor is what it is on more.
    let sequential = Variant {
        mode: Mode::Sequential,
        threads: 1,
    };
    let mut variants = vec![sequential];
    variants.extend(pools.variants(&[Mode::Parallel]));
    let mut measured = Vec::new();
    for pattern in Pattern::ALL {
        let mut builder = Builder::new(&keys, &state);
        workloads::plan(pattern, size).push_all(&mut builder);
        let (batch, prepared) = builder.prepare();
        let mut timings: Vec<_> = variants.iter().map(|&v| (v, Duration::MAX)).collect();
        let mut expected: Option<Outcome> = None;
        for _ in 0..rounds {
            for (Variant { mode, threads }, best) in &mut timings {
                let mut took = Duration::ZERO;
                let outcome = pools.install(*threads, || {
                    let run = || match mode {
                        Mode::Sequential => sequential::run(standard(), &state, &batch, &prepared),
                        Mode::Parallel => parallel::Schedule::new(standard(), &state, &batch)
                            .map(|schedule| schedule.run(&prepared)),
                    };
                    time(&mut took, run).context("the batch cannot run")
                })?;
                let agrees = expected
                    .as_ref()
                    .is_none_or(|expected| *expected == outcome);
                ensure!(agrees, "{}: another outcome", pattern.name());
                expected = Some(outcome);
                *best = took.min(*best);
            }
        }
        measured.push(Rules {
            pattern,
            transactions: size.transactions,
            timings,
        });
    }
    Ok(measured)
}
