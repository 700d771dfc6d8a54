//! How long what took while a batch was proven: by stage for the summary, and as rates.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Result;
use shardfold_fleet::engine::Engine;
use shardfold_fleet::queue::model::{JobView, Kind};
use shardfold_fleet::worker::Event;
use shardfold_prover::Stage;

use crate::commands::Stages;
use crate::commands::cost::breakdown::Tables;
use crate::commands::cost::rates::{Rates, Tally};

/// Hears of events from any thread.
pub struct Meter {
    /// The tables of each shard.
    shards: Vec<Tables>,
    /// Jobs of the batch.
    jobs: usize,
    times: Mutex<Times>,
}

#[derive(Default)]
struct Times {
    stages: Stages,
    /// Jobs that were done here, not found.
    made: usize,
    traces: Tally,
    /// By blow-up.
    stark: BTreeMap<usize, Tally>,
    shard_circuit: Tally,
    aggregate: Tally,
    finish: Tally,
    /// Of which no rate is kept: `cost` tells of the validity proof.
    wrap: Tally,
}

impl Meter {
    /// For these jobs of one batch.
    pub fn new(engine: &Engine, jobs: &[JobView]) -> Result<Self> {
        let mut known = BTreeMap::new();
        for shape in engine.profile().shapes() {
            let size = shape.transactions() as u64;
            if jobs.iter().any(|job| job.size == size) {
                known.insert(size, Tables::of(engine.circuits().stark(shape)?));
            }
        }
        // They come first, in order.
        let shards = jobs.iter().filter(|job| job.kind == Kind::Shard);
        Ok(Self {
            shards: shards
                .filter_map(|job| known.get(&job.size).copied())
                .collect(),
            jobs: jobs.len(),
            times: Mutex::default(),
        })
    }

    /// Counts one event.
    pub fn event(&self, event: &Event) {
        let mut times = self.times();
        match event {
            Event::Stage { work, stage, took } => {
                times.stage(self.shards.get(work.first), *stage, *took);
            }
            Event::Done { work, took, found } => times.done(work.kind, *took, *found),
            _ => {}
        }
    }

    /// Returns the seconds by stage; those of several jobs may overlap.
    pub fn stages(&self) -> Stages {
        self.times().stages.clone()
    }

    /// Returns the rates, of stages that add up to the time that passed. `None` if an earlier run had
    /// done a part: the time that passed is not that of all stages then.
    pub fn rates(&self, passed: Duration) -> Option<Rates> {
        let times = self.times();
        let tallies = [
            &times.traces,
            &times.shard_circuit,
            &times.aggregate,
            &times.finish,
            &times.wrap,
        ];
        let tallies = tallies.into_iter().chain(times.stark.values());
        let sum: f64 = tallies.map(|tally| tally.seconds).sum();
        if times.made < self.jobs || sum <= 0.0 {
            return None;
        }
        let scale = passed.as_secs_f64() / sum;
        let stark = times.stark.iter();
        Some(Rates {
            execute: None,
            circuits: None,
            traces: times.traces.rate(scale),
            stark: stark
                .filter_map(|(&blowup, tally)| Some((blowup, tally.rate(scale)?)))
                .collect(),
            shard_circuit: times.shard_circuit.rate(scale),
            aggregate: times.aggregate.rate(scale),
            finish: times.finish.rate(scale),
        })
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(|error| error.into_inner())
    }
}

impl Times {
    fn stage(&mut self, tables: Option<&Tables>, stage: Stage, took: Duration) {
        self.add_to(stage.name(), took);
        let Some(tables) = tables else { return };
        let cells = tables.all as f64;
        match stage {
            Stage::Traces => self.traces.add(cells, took),
            Stage::Stark => self
                .stark
                .entry(tables.blowup)
                .or_default()
                .add(cells, took),
            Stage::Circuit => self.shard_circuit.add(1.0, took),
        }
    }

    fn done(&mut self, kind: Kind, took: Duration, found: bool) {
        match kind {
            Kind::Shard => {}
            Kind::Aggregate => self.add_to("aggregate", took),
            Kind::Finish => self.add_to("finish", took),
            Kind::Wrap => self.add_to("wrap", took),
        }
        if found {
            return;
        }
        self.made += 1;
        match kind {
            Kind::Shard => {}
            Kind::Aggregate => self.aggregate.add(1.0, took),
            Kind::Finish => self.finish.add(1.0, took),
            Kind::Wrap => self.wrap.add(1.0, took),
        }
    }

    fn add_to(&mut self, stage: &'static str, took: Duration) {
        *self.stages.entry(stage).or_default() += took.as_secs_f64();
    }
}

#[cfg(test)]
mod tests;
