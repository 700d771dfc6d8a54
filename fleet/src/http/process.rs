//! What one process measures of itself.

use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::queue::model::Kind;

/// Bounds of the histogram of job times, in seconds.
const SECONDS: [f64; 12] = [
    0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
];

/// What a worker process measures; cheap to clone, all clones count together.
#[derive(Clone, Debug)]
pub struct ProcessMetrics {
    slots: Gauge,
    busy: Gauge,
    seconds: Family<[(&'static str, &'static str); 1], Histogram>,
}

impl ProcessMetrics {
    /// Of a process that takes `slots` jobs at once; 0 if it takes none.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        let metrics = Self {
            slots: Gauge::default(),
            busy: Gauge::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        };
        metrics.slots.set(slots.into());
        metrics
    }

    /// Notes that a job was taken. The slot is busy until what this returns is dropped.
    #[must_use]
    pub fn start(&self) -> BusySlot {
        self.busy.inc();
        BusySlot(self.busy.clone())
    }

    /// A job was done in this time.
    pub fn done(&self, kind: Kind, took: Duration) {
        let histogram = self.seconds.get_or_create(&[("kind", kind.name())]);
        histogram.observe(took.as_secs_f64());
    }

    /// Adds what was measured, and the memory at this moment.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "shardfold_process_slots",
            "Jobs that this process takes at once",
            self.slots.clone(),
        );
        registry.register(
            "shardfold_process_slots_busy",
            "Jobs that this process is doing",
            self.busy.clone(),
        );
        registry.register_with_unit(
            "shardfold_process_job",
            "How long the jobs took that this process did",
            Unit::Seconds,
            self.seconds.clone(),
        );
        // Linux says; elsewhere the two metrics are missing.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (name, help, field) in [
            (
                "shardfold_process_memory",
                "Memory of this process",
                "VmRSS:",
            ),
            (
                "shardfold_process_memory_peak",
                "The most memory that this process has had",
                "VmHWM:",
            ),
        ] {
            if let Some(bytes) = memory(&status, field) {
                let gauge: Gauge = Gauge::default();
                gauge.set(bytes);
                registry.register_with_unit(name, help, Unit::Bytes, gauge);
            }
        }
    }
}

/// A slot in which a job is being done.
#[derive(Debug)]
pub struct BusySlot(Gauge);

impl Drop for BusySlot {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The bytes in a line such as `VmRSS:    1234 kB` of `/proc/self/status`.
pub(super) fn memory(status: &str, field: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}
