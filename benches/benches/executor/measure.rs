//! One run from bytes to witnesses, stage by stage.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use p3_field::PrimeCharacteristicRing;
use rayon::{ThreadPool, ThreadPoolBuilder};
use shardfold_contracts::set::standard;
use shardfold_executor::outcome::Outcome;
use shardfold_executor::prepare::prepare_all;
use shardfold_executor::workload::Workload;
use shardfold_executor::{parallel, sequential, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::files;
use shardfold_protocol::head::Head;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;

use crate::Measured;

/// Which executor applies the rules; all other stages are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Sequential,
    Parallel,
}

/// One column of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    pub mode: Mode,
    pub threads: usize,
}

/// How long each stage took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    pub decode: Duration,
    /// Hashes and signatures; the parallel executor makes its schedule meanwhile.
    pub prepare: Duration,
    /// Rules and receipts.
    pub rules: Duration,
    /// Shards, state root and witnesses.
    pub cut: Duration,
}

impl Timing {
    pub fn total(&self) -> Duration {
        self.decode + self.prepare + self.rules + self.cut
    }
}

/// One pool of threads for each number of threads.
pub struct Pools(Vec<ThreadPool>);

impl Pools {
    /// With 1 and 2 threads, and 16 where there are as many cores.
    pub fn new(cores: usize) -> anyhow::Result<Self> {
        let counts = [1, 2, 16].into_iter().filter(|&count| count <= cores);
        let pools = counts.map(|count| ThreadPoolBuilder::new().num_threads(count).build());
        Ok(Self(pools.collect::<Result<_, _>>()?))
    }

    /// Each mode with each number of threads.
    pub fn variants(&self, modes: &[Mode]) -> Vec<Variant> {
        let each = modes
            .iter()
            .flat_map(|&mode| self.threads().map(move |threads| Variant { mode, threads }));
        each.collect()
    }

    /// The number of threads of each.
    pub fn threads(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(ThreadPool::current_num_threads)
    }

    /// Runs something with so many threads, of which there is a pool.
    pub fn install<T: Send>(
        &self,
        threads: usize,
        run: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let pool = self.0.iter().find(|p| p.current_num_threads() == threads);
        let pool = pool.with_context(|| format!("no pool of {threads} threads"))?;
        pool.install(run)
    }
}

/// What a run comes to.
#[derive(PartialEq, Eq)]
struct Results {
    outcome: Outcome,
    head: Head,
    shards: usize,
}

/// The best of some rounds for each variant, in turn, so that all see the same weather. All
/// must come to the same results.
pub fn measure(
    name: String,
    workload: Workload,
    pools: &Pools,
    variants: &[Variant],
    rounds: usize,
) -> anyhow::Result<Measured> {
    let Workload { state, batch } = workload;
    let bytes = files::to_binary(&batch)?;
    let transactions = batch.transactions.len();
    drop(batch);
    let mut timings: Vec<(Variant, Timing)> = Vec::new();
    let mut expected: Option<Results> = None;
    for _ in 0..rounds {
        for &variant in variants {
            let mut state = state.clone();
            let (timing, results) =
                pools.install(variant.threads, || run(&mut state, &bytes, variant.mode))?;
            match timings.iter_mut().find(|(other, _)| *other == variant) {
                Some((_, best)) if best.total() <= timing.total() => {}
                Some((_, best)) => *best = timing,
                None => timings.push((variant, timing)),
            }
            let agrees = expected
                .as_ref()
                .is_none_or(|expected| *expected == results);
            ensure!(agrees, "{name}: {variant:?} comes to other results");
            expected = Some(results);
        }
    }
    let results = expected.context("no rounds or no variants")?;
    Ok(Measured {
        name,
        transactions,
        accepted: results.outcome.accepted.len(),
        shards: results.shards,
        timings,
    })
}

/// One run on the threads of this pool; the state moves to the end of the batch.
fn run(state: &mut State, bytes: &[u8], mode: Mode) -> anyhow::Result<(Timing, Results)> {
    let mut timing = Timing::default();
    let batch: Batch = time(&mut timing.decode, || files::from_bytes(bytes))?;
    let outcome = match mode {
        Mode::Sequential => {
            let prepare =
                || prepare_all(standard(), &batch.transactions, F::from_u64(batch.chain_id));
            let prepared = time(&mut timing.prepare, prepare);
            time(&mut timing.rules, || {
                sequential::run(standard(), state, &batch, &prepared)
            })?
        }
        Mode::Parallel => {
            let prepare = || parallel::prepare(standard(), state, &batch);
            let (prepared, schedule) = time(&mut timing.prepare, prepare)?;
            time(&mut timing.rules, || schedule.run(&prepared))
        }
    };
    let shapes = [Shape::SMALL, Shape::MEDIUM, Shape::LARGE];
    let witnesses = time(&mut timing.cut, || {
        shards::cut(standard(), state, &batch, &outcome, &shapes)
    })?;
    let results = Results {
        outcome,
        head: *state.head(),
        shards: witnesses.len(),
    };
    Ok((timing, results))
}

/// Runs a stage and notes how long it took.
pub fn time<T>(took: &mut Duration, stage: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = stage();
    *took = start.elapsed();
    result
}
