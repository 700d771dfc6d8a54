//! Looking at the fleet, all at one moment.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::admin::the_one;
use super::model::{
    AttemptView, BatchView, FleetView, InstanceView, JobState, JobView, Kind, Millis, TreeView,
    WorkerView,
};
use super::rows::{
    ATTEMPT, BATCH, JOB, attempt, batch as batch_row, big, get, job as job_view, named, number,
};
use super::stats::{ALIVE, HOUR, time_left};
use super::{Queue, QueueError, Tx};

/// The most failures that are shown.
const FAILURES: i64 = 50;
/// A job with everything that explains where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The moment.
    pub now: Millis,
    /// The job.
    pub job: JobView,
    /// The job's batch.
    pub batch: BatchView,
    /// What it joins, in order.
    pub children: Vec<JobView>,
    /// The attempts so far.
    pub attempts: Vec<AttemptView>,
    /// Worker processes that are there, or left within the last hour.
    pub instances: Vec<InstanceView>,
}

impl Queue {
    /// Returns the fleet with its latest batches.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fleet_view(&self, batches: u32) -> Result<FleetView, QueueError> {
        let mut tx = self.look().await?;
        let now = self.now(&mut tx).await?;
        let mut view = FleetView {
            now,
            batches: self.latest_batches(&mut tx, batches).await?,
            workers: self.workers(&mut tx).await?,
            instances: self.instances(&mut tx, now).await?,
            timings: self.timings(&mut tx).await?,
            counts: self.counts(&mut tx).await?,
            batch_counts: self.batch_counts(&mut tx).await?,
            oldest_queued: None,
            failures: self.recent_failures(&mut tx).await?,
            proven_last_hour: 0,
            done_last_hour: Vec::new(),
        };
        self.rates(&mut tx, &mut view).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Returns a batch with its jobs, by its whole id; `None` if there is no such batch.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tree_view(&self, id: &str) -> Result<Option<TreeView>, QueueError> {
        let mut tx = self.look().await?;
        let now = self.now(&mut tx).await?;
        let Some(batch) = self.batch_view(&mut tx, id).await? else {
            return Ok(None);
        };
        let select = format!(
            "SELECT {JOB} FROM jobs WHERE batch = $1
             ORDER BY rank DESC, end_shard - first_shard, first_shard"
        );
        let rows = sqlx::query(AssertSqlSafe(select))
            .bind(id)
            .fetch_all(&mut *tx)
            .await?;
        let jobs = rows.iter().map(job_view).collect::<Result<Vec<_>, _>>()?;
        let timings = self.timings(&mut tx).await?;
        let slots = self.slots(&mut tx, &batch.circuits, now).await?;
        tx.commit().await?;
        Ok(Some(TreeView {
            left: time_left(&batch, &jobs, &timings, slots, now),
            now,
            batch,
            jobs,
        }))
    }

    /// Returns the attempts at a job, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn attempts(&self, batch: &str, job: &str) -> Result<Vec<AttemptView>, QueueError> {
        let mut tx = self.look().await?;
        let attempts = self.attempts_in(&mut tx, batch, job).await?;
        tx.commit().await?;
        Ok(attempts)
    }

    /// Returns everything about the one job whose id starts like this, in the latest batch that has
    /// it.
    ///
    /// # Errors
    /// If there is none, or several.
    pub async fn explain(&self, prefix: &str) -> Result<Explained, QueueError> {
        let mut tx = self.look().await?;
        let now = self.now(&mut tx).await?;
        let length = big(prefix.len() as u64);
        let ids = "SELECT DISTINCT id FROM jobs WHERE substr(id, 1, CAST($2 AS INTEGER)) = $1 ORDER BY id";
        let ids = sqlx::query_scalar(ids)
            .bind(prefix)
            .bind(length)
            .fetch_all(&mut *tx)
            .await?;
        let id = the_one("job", prefix, ids)?;
        let select =
            format!("SELECT {JOB} FROM jobs WHERE id = $1 ORDER BY submitted DESC LIMIT 1");
        let row = sqlx::query(AssertSqlSafe(select))
            .bind(&id)
            .fetch_one(&mut *tx)
            .await?;
        let job = job_view(&row)?;
        let unknown = || QueueError::Unknown {
            what: "batch",
            prefix: job.batch.as_str().into(),
        };
        let batch = self.batch_view(&mut tx, &job.batch).await?;
        let batch = batch.ok_or_else(unknown)?;
        let children =
            format!("SELECT {JOB} FROM jobs WHERE batch = $1 AND parent = $2 ORDER BY first_shard");
        let children = sqlx::query(AssertSqlSafe(children))
            .bind(&job.batch)
            .bind(&job.id)
            .fetch_all(&mut *tx)
            .await?;
        let children = children.iter().map(job_view).collect::<Result<_, _>>()?;
        let attempts = self.attempts_in(&mut tx, &job.batch, &job.id).await?;
        let instances = self.instances(&mut tx, now).await?;
        tx.commit().await?;
        Ok(Explained {
            now,
            job,
            batch,
            children,
            attempts,
            instances,
        })
    }

    async fn now(&self, tx: &mut Tx) -> Result<Millis, QueueError> {
        let now = self.sql("SELECT @now");
        Ok(sqlx::query_scalar(now).fetch_one(&mut **tx).await?)
    }

    async fn batch_view(&self, tx: &mut Tx, id: &str) -> Result<Option<BatchView>, QueueError> {
        let select = format!("SELECT {BATCH} FROM batches WHERE id = $1");
        let row = sqlx::query(AssertSqlSafe(select))
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut batches = vec![batch_row(&row)?];
        let counts = "SELECT batch, state, COUNT(*) AS count FROM jobs WHERE batch = $1
            GROUP BY batch, state";
        let rows = sqlx::query(counts).bind(id).fetch_all(&mut **tx).await?;
        add_counts(&mut batches, &rows)?;
        Ok(batches.pop())
    }

    async fn latest_batches(&self, tx: &mut Tx, most: u32) -> Result<Vec<BatchView>, QueueError> {
        let select = format!("SELECT {BATCH} FROM batches ORDER BY submitted DESC, id LIMIT $1");
        let rows = sqlx::query(AssertSqlSafe(select))
            .bind(i64::from(most))
            .fetch_all(&mut **tx)
            .await?;
        let mut batches = rows.iter().map(batch_row).collect::<Result<Vec<_>, _>>()?;
        let counts = "SELECT batch, state, COUNT(*) AS count FROM jobs WHERE batch IN
                (SELECT id FROM batches ORDER BY submitted DESC, id LIMIT $1)
            GROUP BY batch, state";
        let rows = sqlx::query(counts)
            .bind(i64::from(most))
            .fetch_all(&mut **tx)
            .await?;
        add_counts(&mut batches, &rows)?;
        Ok(batches)
    }

    async fn attempts_in(
        &self,
        tx: &mut Tx,
        batch: &str,
        job: &str,
    ) -> Result<Vec<AttemptView>, QueueError> {
        let select = format!(
            "SELECT {ATTEMPT} FROM attempts WHERE batch = $1 AND job = $2 ORDER BY attempt"
        );
        let rows = sqlx::query(AssertSqlSafe(select))
            .bind(batch)
            .bind(job)
            .fetch_all(&mut **tx)
            .await?;
        rows.iter().map(attempt).collect()
    }

    async fn recent_failures(&self, tx: &mut Tx) -> Result<Vec<AttemptView>, QueueError> {
        let select = format!(
            "SELECT {ATTEMPT} FROM attempts
             WHERE outcome IN ('failed', 'lost', 'overdue', 'invalidated')
             ORDER BY ended DESC LIMIT {FAILURES}"
        );
        let rows = sqlx::query(AssertSqlSafe(select))
            .fetch_all(&mut **tx)
            .await?;
        rows.iter().map(attempt).collect()
    }

    async fn workers(&self, tx: &mut Tx) -> Result<Vec<WorkerView>, QueueError> {
        let select =
            "SELECT name, public_key, registered, revoked, strikes FROM workers ORDER BY name";
        let rows = sqlx::query(select).fetch_all(&mut **tx).await?;
        rows.iter()
            .map(|row| {
                Ok(WorkerView {
                    name: get(row, "name")?,
                    public_key: get(row, "public_key")?,
                    registered: get(row, "registered")?,
                    revoked: get(row, "revoked")?,
                    strikes: number(row, "strikes")?,
                })
            })
            .collect()
    }

    async fn instances(&self, tx: &mut Tx, now: Millis) -> Result<Vec<InstanceView>, QueueError> {
        let select = "SELECT id, worker, host, profile, circuits, kinds, slots, memory, started,
                seen, left_at,
                (SELECT COUNT(*) FROM attempts WHERE instance = instances.id
                    AND outcome = 'done') AS done,
                (SELECT COUNT(*) FROM attempts WHERE instance = instances.id
                    AND outcome IN ('failed', 'lost', 'overdue', 'invalidated')) AS failed,
                (SELECT COUNT(*) FROM jobs WHERE instance = instances.id
                    AND state = 'running') AS busy
            FROM instances WHERE seen > $1 ORDER BY started, id";
        let rows = sqlx::query(select)
            .bind(now - HOUR)
            .fetch_all(&mut **tx)
            .await?;
        rows.iter().map(|row| instance(row, now)).collect()
    }
}

fn add_counts(batches: &mut [BatchView], rows: &[AnyRow]) -> Result<(), QueueError> {
    for row in rows {
        let id: String = get(row, "batch")?;
        let state = named(row, "state", JobState::named)?;
        let count = number(row, "count")?;
        let place = JobState::ALL.iter().position(|known| *known == state);
        let batch = batches.iter_mut().find(|batch| batch.id == id);
        if let Some(slot) = batch
            .zip(place)
            .and_then(|(batch, place)| batch.jobs.get_mut(place))
        {
            *slot = count;
        }
    }
    Ok(())
}

fn instance(row: &AnyRow, now: Millis) -> Result<InstanceView, QueueError> {
    let kinds: String = get(row, "kinds")?;
    let seen: Millis = get(row, "seen")?;
    let left: Option<Millis> = get(row, "left_at")?;
    Ok(InstanceView {
        id: get(row, "id")?,
        worker: get(row, "worker")?,
        host: get(row, "host")?,
        profile: get(row, "profile")?,
        circuits: get(row, "circuits")?,
        kinds: kinds.split(',').filter_map(Kind::named).collect(),
        slots: number(row, "slots")?,
        memory: number(row, "memory")?,
        started: get(row, "started")?,
        seen,
        left,
        alive: left.is_none() && now.saturating_sub(seen) < ALIVE,
        busy: number(row, "busy")?,
        done: number(row, "done")?,
        failed: number(row, "failed")?,
    })
}
