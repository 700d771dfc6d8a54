//! The fleet in Prometheus' text format. `docs/fleet-metrics.md` lists the metrics.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::process::ProcessMetrics;
use crate::queue::model::{BatchState, FleetView, InstanceView, JobState, Kind, Millis, Outcome};

/// The media type of [`render`]'s text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const HOUR: Millis = 3_600_000;

/// Metrics of the process and, if the database answers, of the fleet.
///
/// # Errors
/// Never, as long as text can be written to a string.
pub fn render(fleet: Option<&FleetView>, process: &ProcessMetrics) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    process.register(&mut registry);
    single(
        &mut registry,
        "shardfold_database_up",
        "Whether the database answers: without it all metrics of the fleet are missing",
        if fleet.is_some() { 1.0 } else { 0.0 },
    );
    if let Some(fleet) = fleet {
        register_work(&mut registry, fleet);
        register_times(&mut registry, fleet);
        register_workers(&mut registry, fleet);
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Batches and jobs by state.
fn register_work(registry: &mut Registry, fleet: &FleetView) {
    let states = BatchState::ALL.into_iter().zip(fleet.batch_counts);
    labelled(
        registry,
        "shardfold_batches",
        "Batches by state",
        states.map(|(state, count)| ([("state", state.name().into())], float(count))),
    );
    let jobs = Kind::ALL.into_iter().flat_map(|kind| {
        JobState::ALL.map(|state| {
            let found = fleet.counts.iter().filter(|c| (c.0, c.1) == (kind, state));
            let labels = [("kind", kind.name().into()), ("state", state.name().into())];
            (labels, total(found.map(|c| c.2)))
        })
    });
    labelled(
        registry,
        "shardfold_jobs",
        "Jobs of the proof trees by kind and state",
        jobs,
    );
    single(
        registry,
        "shardfold_queue_age_seconds",
        "How long the job has waited that has been ready the longest; 0 if none is ready",
        fleet.oldest_queued.map_or(0.0, |since| {
            seconds(fleet.now.saturating_sub(since)).max(0.0)
        }),
    );
    let lately = |outcome| {
        let ended = fleet.failures.iter().filter(move |attempt| {
            attempt.outcome == Some(outcome)
                && attempt
                    .ended
                    .is_some_and(|ended| fleet.now.saturating_sub(ended) < HOUR)
        });
        float(ended.count() as u64)
    };
    let wrong = Outcome::ALL.into_iter().filter(|outcome| {
        !matches!(
            outcome,
            Outcome::Done | Outcome::Released | Outcome::Superseded
        )
    });
    labelled(
        registry,
        "shardfold_attempts_failed_last_hour",
        "Attempts at jobs that went wrong within the last hour, by outcome",
        wrong.map(|outcome| ([("outcome", outcome.name().into())], lately(outcome))),
    );
}

/// How long jobs take and how many are done.
fn register_times(registry: &mut Registry, fleet: &FleetView) {
    let timings = |value: fn(&crate::queue::model::Timing) -> f64| {
        fleet.timings.iter().map(move |timing| {
            let labels = [
                ("circuits", timing.circuits.clone()),
                ("kind", timing.kind.name().into()),
                ("size", timing.size.to_string()),
            ];
            (labels, value(timing))
        })
    };
    labelled(
        registry,
        "shardfold_job_mean_seconds",
        "Mean time of the last jobs by circuits, kind and size",
        timings(|timing| timing.mean / 1000.0),
    );
    labelled(
        registry,
        "shardfold_job_longest_seconds",
        "Longest time of the last jobs by circuits, kind and size",
        timings(|timing| seconds(timing.longest)),
    );
    let rates = Kind::ALL.into_iter().map(|kind| {
        let done = fleet.done_last_hour.iter().filter(|done| done.0 == kind);
        let rate = total(done.map(|done| done.1)) / 3600.0;
        ([("kind", kind.name().into())], rate)
    });
    labelled(
        registry,
        "shardfold_proofs_per_second",
        "Jobs done per second, over the last hour, by kind",
        rates,
    );
    single(
        registry,
        "shardfold_transactions_proven_last_hour",
        "Transactions in batches proven within the last hour",
        float(fleet.proven_last_hour),
    );
}

/// Who works.
fn register_workers(registry: &mut Registry, fleet: &FleetView) {
    let alive = || fleet.instances.iter().filter(|instance| instance.alive);
    let sum = |value: fn(&InstanceView) -> u64| total(alive().map(value));
    single(
        registry,
        "shardfold_workers_alive",
        "Worker processes that are heard of",
        float(alive().count() as u64),
    );
    single(
        registry,
        "shardfold_slots",
        "Jobs that the living worker processes take at once",
        sum(|instance| instance.slots),
    );
    single(
        registry,
        "shardfold_slots_busy",
        "Jobs that the living worker processes hold",
        sum(|instance| instance.busy),
    );
    let strikes = fleet.workers.iter().map(|worker| {
        let labels = [("worker", worker.name.clone())];
        (labels, float(worker.strikes))
    });
    labelled(
        registry,
        "shardfold_worker_strikes",
        "Results of a registered worker that were invalidated",
        strikes,
    );
}

type Float = Gauge<f64, AtomicU64>;

fn single(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Float::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

/// One gauge for each set of labels.
fn labelled<const N: usize>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    values: impl Iterator<Item = ([(&'static str, String); N], f64)>,
) {
    let family = Family::<[(&'static str, String); N], Float>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}

/// The sum; rows of the database may hold numbers whose sum is no `u64`.
fn total(counts: impl Iterator<Item = u64>) -> f64 {
    counts.fold(0.0, |sum, count| sum + float(count))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}
