//! Progress: bars on a terminal, plain lines otherwise.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shardfold_fleet::embedded;
use shardfold_fleet::queue::model::{JobState, Kind, TreeView};
use shardfold_fleet::worker::{Event, Work};
use shardfold_prover::Stage;
use shardfold_prover::cache::{FileError, Listener, Progress as CacheProgress};

use crate::output::Printer;

/// Steps of a job on the bar: a shard's stages, or one.
const fn steps(kind: Kind) -> u64 {
    match kind {
        Kind::Shard => 3,
        Kind::Aggregate | Kind::Finish | Kind::Wrap => 1,
    }
}

/// The progress of one batch.
pub struct Progress {
    bar: ProgressBar,
    shards: u64,
    printer: Printer,
}

impl Progress {
    /// Returns a bar over the jobs of a batch, those of earlier runs behind it.
    pub fn new(tree: &TreeView, printer: Printer) -> Self {
        let jobs = &tree.jobs;
        let bar = ProgressBar::new(jobs.iter().map(|job| steps(job.kind)).sum());
        bar.set_style(
            ProgressStyle::with_template(
                "{elapsed_precise} [{bar:30}] {pos}/{len} {msg} (about {eta} left)",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(500));
        let progress = Self {
            bar,
            shards: tree.batch.shards,
            printer,
        };
        progress.line(&format!(
            "{} transactions in {} shards",
            tree.batch.transactions, tree.batch.shards
        ));
        for job in jobs.iter().filter(|job| job.state == JobState::Done) {
            progress.bar.inc(steps(job.kind));
            if job.kind == Kind::Shard {
                let shard = range(job.first as usize, job.end as usize);
                progress.line(&format!("{shard}: proven by an earlier run"));
            }
        }
        progress
    }

    /// Shows one event.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Started(work) => self.bar.set_message(self.name(work)),
            Event::Stage { work, stage, took } => {
                self.bar.inc(1);
                let name = match stage {
                    Stage::Traces => "traces",
                    Stage::Stark => "STARK",
                    Stage::Circuit => "shard proof",
                };
                let seconds = took.as_secs_f64();
                self.line(&format!("{}: {name} in {seconds:.2} s", self.name(work)));
            }
            Event::Done { work, took, found } => self.done(work, *took, *found),
            Event::Unusable { work, reason } => {
                let name = self.name(work);
                self.line(&format!(
                    "{name}: a result that was there is not used: {reason}"
                ));
            }
            Event::GivenBack { work, reason } => {
                self.line(&format!("{}: given back: {reason}", self.name(work)));
            }
            Event::Waiting { reason } => self.line(&format!("waiting: {reason}")),
            // The command's error.
            Event::Failed { .. } => {}
        }
    }

    fn done(&self, work: &Work, took: Duration, found: bool) {
        if work.kind != Kind::Shard || found {
            self.bar.inc(steps(work.kind));
        }
        let shards = range(work.first, work.end);
        let seconds = took.as_secs_f64();
        match work.kind {
            Kind::Aggregate | Kind::Shard if found => {
                self.line(&format!("{shards}: proven by an earlier run"));
            }
            Kind::Aggregate => self.line(&format!("{shards}: aggregated in {seconds:.2} s")),
            Kind::Wrap if found => self.line("settlement proof: made by an earlier run"),
            Kind::Wrap => self.line(&format!("settlement proof in {seconds:.2} s")),
            Kind::Shard | Kind::Finish => {}
        }
    }

    fn name(&self, work: &Work) -> String {
        match work.kind {
            Kind::Shard => format!("shard {} of {}", work.end, self.shards),
            kind => embedded::name(kind, work.first, work.end),
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            self.printer.line(format_args!("{text}"));
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
pub fn circuit_listener(printer: Printer) -> Box<Listener> {
    Box::new(move |name, progress| match progress {
        CacheProgress::Loaded(took) => {
            tracing::info!("circuit {name} loaded in {:.2} s", took.as_secs_f64());
        }
        CacheProgress::Unusable(FileError::Absent) => {}
        CacheProgress::Unusable(reason) => {
            printer.line(format_args!(
                "the cached circuit {name} is not used: {reason}"
            ));
        }
        CacheProgress::Building => {
            printer.line(format_args!(
                "building the circuit {name} (once for this profile)"
            ));
        }
        CacheProgress::Built(took) => {
            printer.line(format_args!(
                "circuit {name} built in {:.1} s",
                took.as_secs_f64()
            ));
        }
        CacheProgress::Stored(_) => {}
        CacheProgress::NotStored(error) => {
            printer.line(format_args!(
                "the circuit {name} could not be kept: {error}"
            ));
        }
    })
}
