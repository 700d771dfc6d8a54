//! What the queue has measured: times, counts, rates, what is left.

use super::claim::RECENT;
use super::model::{BatchState, BatchView, FleetView, JobState, JobView, Kind, Millis, Timing};
use super::rows::{get, named, number};
use super::{Queue, QueueError, Tx};

/// A worker process that was not heard of for so long does not count as alive.
pub const ALIVE: i64 = 60_000;
/// What is called lately, in milliseconds.
pub const HOUR: i64 = 3_600_000;

impl Queue {
    /// How long the last jobs took, by circuits, kind and size.
    pub(super) async fn timings(&self, tx: &mut Tx) -> Result<Vec<Timing>, QueueError> {
        let select = "SELECT circuits, kind, size, COUNT(*) AS count,
                CAST(SUM(took) AS BIGINT) AS total, MAX(took) AS longest
            FROM (SELECT circuits, kind, size, took, ROW_NUMBER() OVER
                    (PARTITION BY circuits, kind, size ORDER BY finished DESC) AS place
                FROM jobs WHERE took IS NOT NULL) AS done
            WHERE place <= $1 GROUP BY circuits, kind, size ORDER BY circuits, kind, size";
        let rows = sqlx::query(select)
            .bind(RECENT)
            .fetch_all(&mut **tx)
            .await?;
        rows.iter()
            .map(|row| {
                let (count, total) = (number(row, "count")?, number(row, "total")?);
                Ok(Timing {
                    circuits: get(row, "circuits")?,
                    kind: named(row, "kind", Kind::named)?,
                    size: number(row, "size")?,
                    count,
                    mean: total as f64 / count.max(1) as f64,
                    longest: get(row, "longest")?,
                })
            })
            .collect()
    }

    /// Jobs by kind and state.
    pub(super) async fn counts(
        &self,
        tx: &mut Tx,
    ) -> Result<Vec<(Kind, JobState, u64)>, QueueError> {
        let select = "SELECT kind, state, COUNT(*) AS count FROM jobs
            GROUP BY kind, state ORDER BY kind, state";
        let rows = sqlx::query(select).fetch_all(&mut **tx).await?;
        rows.iter()
            .map(|row| {
                let kind = named(row, "kind", Kind::named)?;
                let state = named(row, "state", JobState::named)?;
                Ok((kind, state, number(row, "count")?))
            })
            .collect()
    }

    /// Batches by state, in the order of `BatchState::ALL`.
    pub(super) async fn batch_counts(
        &self,
        tx: &mut Tx,
    ) -> Result<[u64; BatchState::ALL.len()], QueueError> {
        let select = "SELECT state, COUNT(*) AS count FROM batches GROUP BY state";
        let rows = sqlx::query(select).fetch_all(&mut **tx).await?;
        let mut counts = [0; BatchState::ALL.len()];
        for row in &rows {
            let state = named(row, "state", BatchState::named)?;
            let slots = BatchState::ALL.iter().zip(&mut counts);
            for (_, slot) in slots.filter(|(known, _)| **known == state) {
                *slot = number(row, "count")?;
            }
        }
        Ok(counts)
    }

    /// Fills in what was done within the hour, and how long the oldest ready job has waited.
    pub(super) async fn rates(&self, tx: &mut Tx, view: &mut FleetView) -> Result<(), QueueError> {
        // A job is ready when it is submitted, when its last child is done, or when its pause
        // after a failure ends.
        let oldest = "SELECT MIN(COALESCE(job.not_before,
                (SELECT MAX(finished) FROM jobs AS child WHERE child.batch = job.batch
                    AND child.parent = job.id), job.submitted)) AS oldest
            FROM jobs AS job WHERE job.state = 'queued'
                AND (job.not_before IS NULL OR job.not_before <= $1)";
        let row = sqlx::query(oldest)
            .bind(view.now)
            .fetch_one(&mut **tx)
            .await?;
        view.oldest_queued = get(&row, "oldest")?;
        let proven = "SELECT CAST(COALESCE(SUM(transactions), 0) AS BIGINT) AS count FROM batches
            WHERE state = 'proven' AND finished > $1";
        let row = sqlx::query(proven)
            .bind(view.now - HOUR)
            .fetch_one(&mut **tx)
            .await?;
        view.proven_last_hour = number(&row, "count")?;
        let done = "SELECT kind, COUNT(*) AS count FROM jobs
            WHERE state = 'done' AND finished > $1 GROUP BY kind ORDER BY kind";
        let rows = sqlx::query(done)
            .bind(view.now - HOUR)
            .fetch_all(&mut **tx)
            .await?;
        let done = rows
            .iter()
            .map(|row| Ok((named(row, "kind", Kind::named)?, number(row, "count")?)));
        view.done_last_hour = done.collect::<Result<_, QueueError>>()?;
        Ok(())
    }

    /// Jobs that living workers with these circuits take at once.
    pub(super) async fn slots(
        &self,
        tx: &mut Tx,
        circuits: &str,
        now: Millis,
    ) -> Result<u64, QueueError> {
        let select = "SELECT CAST(COALESCE(SUM(slots), 0) AS BIGINT) AS slots FROM instances
            WHERE circuits = $1 AND left_at IS NULL AND seen > $2";
        let row = sqlx::query(select)
            .bind(circuits)
            .bind(now - ALIVE)
            .fetch_one(&mut **tx)
            .await?;
        number(&row, "slots")
    }
}

/// Returns the work that is left at the mean times of late, shared by the slots. Jobs of which none
/// alike was measured yet count as the slowest of the others. That aggregations wait for one
/// another is not looked at: near its end a batch takes longer.
pub fn time_left(
    batch: &BatchView,
    jobs: &[JobView],
    timings: &[Timing],
    slots: u64,
    now: Millis,
) -> Option<Millis> {
    if batch.state != BatchState::Open || slots == 0 {
        return None;
    }
    let measured = || {
        let of_batch = |timing: &&Timing| timing.circuits == batch.circuits;
        timings.iter().filter(of_batch)
    };
    let slowest = measured()
        .map(|timing| timing.mean)
        .max_by(f64::total_cmp)?;
    let mut left = 0.0;
    for job in jobs.iter().filter(|job| job.state != JobState::Done) {
        let alike = |timing: &&Timing| timing.kind == job.kind && timing.size == job.size;
        let mean = measured().find(alike).map_or(slowest, |timing| timing.mean);
        let spent = match (job.state, job.started) {
            (JobState::Running, Some(started)) => now.saturating_sub(started) as f64,
            _ => 0.0,
        };
        left += (mean - spent).max(0.0);
    }
    Some((left / slots as f64) as Millis)
}
