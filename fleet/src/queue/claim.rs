//! Taking jobs.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::model::Kind;
use super::register::MAX_STRIKES;
use super::rows::{big, get, named, number};
use super::{Lease, Queue, QueueError};
use crate::keys::{PublicKey, Signature};

/// The jobs that a worker would take.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Those of these kinds.
    pub kinds: &'a [Kind],
    /// Those that take no more memory, in bytes.
    pub memory: u64,
    /// Those of this batch; of any if `None`.
    pub batch: Option<&'a str>,
}

/// A worker process that presents itself.
#[derive(Clone, Debug)]
pub struct Registration<'a> {
    /// Its name, new for each process.
    pub instance: &'a str,
    /// The key that it holds.
    pub key: &'a PublicKey,
    /// Its signature over instance and circuits.
    pub signature: &'a Signature,
    /// The machine that it runs on.
    pub host: &'a str,
    /// The security profile that it proves for.
    pub profile: &'a str,
    /// The verification key of its circuits, 64 hexadecimal digits.
    pub circuits: &'a str,
    /// The kinds of jobs that it takes.
    pub kinds: &'a [Kind],
    /// How many it takes at once.
    pub slots: u64,
    /// The memory that they may take, in bytes.
    pub memory: u64,
}

/// A job that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The id of its batch.
    pub batch: String,
    /// The id of the job.
    pub job: String,
    /// What the job does.
    pub kind: Kind,
    /// The first shard covered.
    pub first: usize,
    /// The shard after the last one covered.
    pub end: usize,
    /// The number of this attempt.
    pub attempt: i64,
    /// The memory that it takes, in bytes.
    pub memory: u64,
}

/// A job that a worker still holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobLease {
    /// The id of its batch.
    pub batch: String,
    /// The id of the job.
    pub job: String,
    /// The number of the attempt.
    pub attempt: i64,
}

impl From<&Claimed> for JobLease {
    fn from(claimed: &Claimed) -> Self {
        Self {
            batch: claimed.batch.clone(),
            job: claimed.job.clone(),
            attempt: claimed.attempt,
        }
    }
}

/// A job whose result another one uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The id of the job.
    pub job: String,
    /// The first shard covered.
    pub first: usize,
    /// The shard after the last one covered.
    pub end: usize,
    /// The result's object, if it is done.
    pub result: Option<String>,
    /// The worker whose signature is on it.
    pub signer: Option<String>,
    /// The signature over the result.
    pub signature: Option<String>,
}

/// A job's deadline where nothing like it was measured yet.
const FIRST_DEADLINE: Duration = Duration::from_secs(3600);
/// A deadline is this many times the longest of the last jobs of the same circuit.
const DEADLINE_FACTOR: i64 = 10;
/// ... and this much more, in milliseconds: more than a worker waits for the store.
const DEADLINE_EXTRA: i64 = 300_000;
/// How many of the last jobs are looked at.
pub const RECENT: i64 = 20;

/// A job goes to a worker that failed it before only if no other worker could take it.
const CLAIM: &str = "UPDATE jobs SET state = 'running', attempt = attempt + 1, instance = $1,
        started = @now, lease = @now + $2, not_before = NULL,
        deadline = @now + COALESCE(
            (SELECT $3 * MAX(recent.took) + $4 FROM
                (SELECT took FROM jobs AS done
                 WHERE done.circuits = jobs.circuits AND done.kind = jobs.kind
                     AND done.size = jobs.size AND done.took IS NOT NULL
                     AND done.finished IS NOT NULL
                 ORDER BY done.finished DESC LIMIT $5) AS recent), $6)
    WHERE (batch, id) = (
        SELECT job.batch, job.id FROM jobs AS job
        WHERE job.state = 'queued' AND job.kind IN (@kinds) AND job.memory <= $7
            AND ($9 = '' OR job.batch = $9)
            AND (job.not_before IS NULL OR job.not_before <= @now)
            AND EXISTS (SELECT 1 FROM instances AS me, workers
                WHERE me.id = $1 AND me.circuits = job.circuits AND workers.name = me.worker
                    AND workers.revoked IS NULL AND workers.strikes < $8)
            AND (NOT EXISTS (SELECT 1 FROM attempts AS bad
                    WHERE bad.batch = job.batch AND bad.job = job.id AND bad.instance = $1
                        AND bad.outcome IN ('failed', 'overdue', 'invalidated'))
                OR NOT EXISTS (SELECT 1 FROM instances AS other, workers
                    WHERE other.id <> $1 AND other.circuits = job.circuits
                        AND other.left_at IS NULL AND other.seen > @now - 2 * $2
                        AND other.memory >= job.memory
                        AND ',' || other.kinds || ',' LIKE '%,' || job.kind || ',%'
                        AND workers.name = other.worker
                        AND workers.revoked IS NULL AND workers.strikes < $8
                        AND NOT EXISTS (SELECT 1 FROM attempts AS bad
                            WHERE bad.batch = job.batch AND bad.job = job.id
                                AND bad.instance = other.id
                                AND bad.outcome IN ('failed', 'overdue', 'invalidated'))))
        ORDER BY job.rank, job.submitted, job.batch, job.first_shard
        LIMIT 1 @skip_locked)
    RETURNING batch, id, kind, first_shard, end_shard, attempt, memory";

impl Queue {
    /// Presents a worker process. From then on it may claim jobs.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit).
    pub async fn register_instance(
        &self,
        registration: &Registration<'_>,
    ) -> Result<String, QueueError> {
        let worker = self
            .admit(
                registration.key,
                registration.profile,
                registration.circuits,
            )
            .await?;
        let kinds: Vec<&str> = registration.kinds.iter().map(|kind| kind.name()).collect();
        let insert = "INSERT INTO instances
            (id, worker, host, profile, circuits, kinds, slots, memory, registration, started, seen)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, @now, @now)
            ON CONFLICT (id) DO UPDATE SET seen = @now, left_at = NULL";
        sqlx::query(self.sql(insert))
            .bind(registration.instance)
            .bind(&worker)
            .bind(registration.host)
            .bind(registration.profile)
            .bind(registration.circuits)
            .bind(kinds.join(","))
            .bind(big(registration.slots))
            .bind(big(registration.memory))
            .bind(registration.signature.to_string())
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(worker)
    }

    /// Returns the best job for a worker process, which holds it from now on: what finishes
    /// something before new shards, earlier batches before later ones. `None` if none is as wanted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(
        &self,
        instance: &str,
        wanted: &Wanted<'_>,
        lease: Lease,
    ) -> Result<Option<Claimed>, QueueError> {
        let kinds: Vec<_> = wanted
            .kinds
            .iter()
            .map(|kind| format!("'{}'", kind.name()))
            .collect();
        if kinds.is_empty() {
            return Ok(None);
        }
        let claim = self.sql(CLAIM);
        let claim = claim.as_str().replace("@kinds", &kinds.join(", "));
        let mut tx = self.begin().await?;
        let row = sqlx::query(AssertSqlSafe(claim))
            .bind(instance)
            .bind(lease.millis())
            .bind(DEADLINE_FACTOR)
            .bind(DEADLINE_EXTRA)
            .bind(RECENT)
            .bind(Lease(FIRST_DEADLINE).millis())
            .bind(big(wanted.memory))
            .bind(MAX_STRIKES)
            .bind(wanted.batch.unwrap_or(""))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let claimed = claimed(&row)?;
        let insert = "INSERT INTO attempts (batch, job, attempt, instance, started)
            VALUES ($1, $2, $3, $4, @now)";
        sqlx::query(self.sql(insert))
            .bind(&claimed.batch)
            .bind(&claimed.job)
            .bind(claimed.attempt)
            .bind(instance)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(claimed))
    }

    /// Returns the jobs whose results a job uses, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn children(&self, batch: &str, job: &str) -> Result<Vec<Child>, QueueError> {
        let select = "SELECT id, first_shard, end_shard, result, signer, signature FROM jobs
            WHERE batch = $1 AND parent = $2 ORDER BY first_shard";
        let rows = sqlx::query(select)
            .bind(batch)
            .bind(job)
            .fetch_all(&mut *self.connection().await?)
            .await?;
        rows.iter().map(child).collect()
    }
}

fn claimed(row: &AnyRow) -> Result<Claimed, QueueError> {
    Ok(Claimed {
        batch: get(row, "batch")?,
        job: get(row, "id")?,
        kind: named(row, "kind", Kind::named)?,
        first: place(row, "first_shard")?,
        end: place(row, "end_shard")?,
        attempt: get(row, "attempt")?,
        memory: number(row, "memory")?,
    })
}

/// A row of a job with its result.
pub(super) fn child(row: &AnyRow) -> Result<Child, QueueError> {
    Ok(Child {
        job: get(row, "id")?,
        first: place(row, "first_shard")?,
        end: place(row, "end_shard")?,
        result: get(row, "result")?,
        signer: get(row, "signer")?,
        signature: get(row, "signature")?,
    })
}

/// The number of a shard.
fn place(row: &AnyRow, column: &'static str) -> Result<usize, QueueError> {
    Ok(usize::try_from(number(row, column)?).unwrap_or(usize::MAX))
}
