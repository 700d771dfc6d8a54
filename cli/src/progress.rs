//! Progress: bars on a terminal, plain lines otherwise.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shardfold_circuits::cache::{Listener, Progress as CacheProgress};
use shardfold_fleet::local::Event;
use shardfold_prover::Stage;
use shardfold_protocol::witness::ShardWitness;

use crate::output::Say;

/// Steps of a shard on the bar: its stages.
const SHARD_STEPS: u64 = 3;

/// The progress of one batch.
pub struct Progress {
    bar: ProgressBar,
    shards: usize,
    say: Say,
}

impl Progress {
    /// A bar over the stages of all shards and the folds.
    pub fn new(witnesses: &[ShardWitness], say: Say) -> Self {
        let shards = witnesses.len();
        // One fold for a single shard, one fewer than shards otherwise.
        let folds = shards.saturating_sub(1).max(1) as u64;
        let bar = ProgressBar::new(SHARD_STEPS * shards as u64 + folds);
        bar.set_style(
            ProgressStyle::with_template(
                "{elapsed_precise} [{bar:30}] {pos}/{len} {msg} (about {eta} left)",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(500));
        let transactions: usize = witnesses.iter().map(|w| w.transactions.len()).sum();
        let progress = Self { bar, shards, say };
        progress.line(&format!("{transactions} transactions in {shards} shards"));
        progress
    }

    /// Shows one event.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Resumed { first, end } => {
                self.bar.inc(SHARD_STEPS * (end - first) as u64);
                let shards = range(*first, *end);
                self.line(&format!("{shards}: proven by an earlier run"));
            }
            Event::Ignored { path, reason } => {
                self.line(&format!("{} is not used: {reason}", path.display()));
            }
            Event::ShardStarted { shard } => {
                self.bar
                    .set_message(format!("shard {} of {}", shard + 1, self.shards));
            }
            Event::ShardStage { shard, stage, took } => {
                self.bar.inc(1);
                let name = match stage {
                    Stage::Traces => "traces",
                    Stage::Stark => "STARK",
                    Stage::Circuit => "shard proof",
                };
                let seconds = took.as_secs_f64();
                let place = format!("shard {} of {}", shard + 1, self.shards);
                self.line(&format!("{place}: {name} in {seconds:.2} s"));
            }
            Event::ShardDone { .. } => {}
            Event::FoldStarted { first, end } => {
                self.bar.set_message(format!("fold {}", range(*first, *end)));
            }
            Event::FoldDone { first, end, took } => {
                self.bar.inc(1);
                let seconds = took.as_secs_f64();
                self.line(&format!("{}: folded in {seconds:.2} s", range(*first, *end)));
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            self.say.line(format_args!("{text}"));
        } else {
            self.bar.println(text);
        }
    }
}

fn range(first: usize, end: usize) -> String {
    match end - first {
        1 => format!("shard {end}"),
        _ => format!("shards {} to {end}", first + 1),
    }
}

/// Lines about the circuit cache.
pub fn circuit_listener(say: Say) -> Box<Listener> {
    Box::new(move |name, progress| match progress {
        CacheProgress::Loaded(took) => {
            tracing::info!("circuit {name} loaded in {:.2} s", took.as_secs_f64());
        }
        CacheProgress::Unusable(reason) if reason.is_absence() => {}
        CacheProgress::Unusable(reason) => {
            say.line(format_args!("the cached circuit {name} is not used: {reason}"));
        }
        CacheProgress::Building => {
            say.line(format_args!("building the circuit {name} (once for this profile)"));
        }
        CacheProgress::Built(took) => {
            say.line(format_args!("circuit {name} built in {:.1} s", took.as_secs_f64()));
        }
        CacheProgress::Stored(_) => {}
        CacheProgress::NotStored(error) => {
            say.line(format_args!("the circuit {name} could not be kept: {error}"));
        }
    })
}
