//! Taking jobs, keeping them while they are worked on, and taking them from who is gone.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::enrol::MAX_STRIKES;
use super::rows::{big, get, named, number};
use super::view::{Kind, Outcome};
use super::{Queue, QueueError};
use crate::keys::{PublicKey, Signature};

/// How long a job is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease(pub Duration);

impl Lease {
    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A worker process that presents itself.
#[derive(Clone, Debug)]
pub struct Hello<'a> {
    /// Its name, new for each process.
    pub instance: &'a str,
    /// The key that it holds.
    pub key: &'a PublicKey,
    /// Its signature over instance and circuits.
    pub signature: &'a Signature,
    /// The machine.
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
    /// Its batch.
    pub batch: String,
    /// Its id.
    pub job: String,
    /// What to do.
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
pub struct Held {
    /// Its batch.
    pub batch: String,
    /// Its id.
    pub job: String,
    /// The number of the attempt.
    pub attempt: i64,
}

impl From<&Claimed> for Held {
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
    /// Its id.
    pub job: String,
    /// The first shard covered.
    pub first: usize,
    /// The shard after the last one covered.
    pub end: usize,
    /// The result's object, if it is done.
    pub result: Option<String>,
    /// The worker whose signature is on it.
    pub signer: Option<String>,
    /// The signature.
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

/// A job goes to a worker that failed it before only if nobody else could take it.
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
            AND (job.not_before IS NULL OR job.not_before <= @now)
            AND EXISTS (SELECT 1 FROM instances AS me, workers
                WHERE me.id = $1 AND me.circuits = job.circuits AND workers.name = me.worker
                    AND workers.dismissed IS NULL AND workers.strikes < $8)
            AND (NOT EXISTS (SELECT 1 FROM attempts AS bad
                    WHERE bad.batch = job.batch AND bad.job = job.id AND bad.instance = $1
                        AND bad.outcome IN ('failed', 'overdue', 'refuted'))
                OR NOT EXISTS (SELECT 1 FROM instances AS other, workers
                    WHERE other.id <> $1 AND other.circuits = job.circuits
                        AND other.left_at IS NULL AND other.seen > @now - 2 * $2
                        AND other.memory >= job.memory
                        AND ',' || other.kinds || ',' LIKE '%,' || job.kind || ',%'
                        AND workers.name = other.worker
                        AND workers.dismissed IS NULL AND workers.strikes < $8
                        AND NOT EXISTS (SELECT 1 FROM attempts AS bad
                            WHERE bad.batch = job.batch AND bad.job = job.id
                                AND bad.instance = other.id
                                AND bad.outcome IN ('failed', 'overdue', 'refuted'))))
        ORDER BY job.rank, job.submitted, job.batch, job.first_shard
        LIMIT 1 @skip_locked)
    RETURNING batch, id, kind, first_shard, end_shard, attempt, memory";

impl Queue {
    /// Presents a worker process. From then on it may claim jobs.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit).
    pub async fn hello(&self, hello: &Hello<'_>) -> Result<String, QueueError> {
        let worker = self.admit(hello.key, hello.profile, hello.circuits).await?;
        let kinds: Vec<&str> = hello.kinds.iter().map(|kind| kind.name()).collect();
        let insert = "INSERT INTO instances
            (id, worker, host, profile, circuits, kinds, slots, memory, hello, started, seen)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, @now, @now)
            ON CONFLICT (id) DO UPDATE SET seen = @now, left_at = NULL";
        sqlx::query(self.sql(insert))
            .bind(hello.instance)
            .bind(&worker)
            .bind(hello.host)
            .bind(hello.profile)
            .bind(hello.circuits)
            .bind(kinds.join(","))
            .bind(big(hello.slots))
            .bind(big(hello.memory))
            .bind(hello.signature.to_string())
            .execute(&self.pool)
            .await?;
        Ok(worker)
    }

    /// The name under which a worker may work with these circuits: those of the last batch of
    /// the profile, and of open ones. Before the first batch any will do.
    ///
    /// # Errors
    /// Those of [`worker_of`](Self::worker_of), and other circuits.
    pub async fn admit(
        &self,
        key: &PublicKey,
        profile: &str,
        circuits: &str,
    ) -> Result<String, QueueError> {
        let worker = self.worker_of(key).await?;
        let select = "SELECT key_id FROM circuits WHERE profile = $1
                AND (added = (SELECT MAX(added) FROM circuits WHERE profile = $1)
                    OR EXISTS (SELECT 1 FROM batches
                        WHERE batches.circuits = key_id AND state = 'open'))
            ORDER BY added DESC, key_id";
        let expected: Vec<String> = sqlx::query_scalar(select)
            .bind(profile)
            .fetch_all(&self.pool)
            .await?;
        if expected.is_empty() || expected.iter().any(|key| key == circuits) {
            return Ok(worker);
        }
        Err(QueueError::OtherCircuits {
            profile: profile.into(),
            found: circuits.into(),
            expected: expected.join(", ").into(),
        })
    }

    /// Says that a worker process leaves, and gives back whatever it holds.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn goodbye(&self, instance: &str) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        let update = "UPDATE instances SET left_at = @now WHERE id = $1";
        sqlx::query(self.sql(update))
            .bind(instance)
            .execute(&mut *tx)
            .await?;
        let select = "SELECT batch, id, attempt FROM jobs
            WHERE instance = $1 AND state = 'running'";
        let rows = sqlx::query(select)
            .bind(instance)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            self.end_attempt(&mut tx, &held(row)?, Outcome::Released, "the worker left")
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The best job for a worker process, which holds it from now on: what finishes something
    /// before new shards, earlier batches before later ones. `None` if there is none that fits
    /// into `memory` bytes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(
        &self,
        instance: &str,
        kinds: &[Kind],
        memory: u64,
        lease: Lease,
    ) -> Result<Option<Claimed>, QueueError> {
        let kinds: Vec<_> = kinds
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
            .bind(big(memory))
            .bind(MAX_STRIKES)
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

    /// The jobs whose results a job uses, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn children(&self, batch: &str, job: &str) -> Result<Vec<Child>, QueueError> {
        let select = "SELECT id, first_shard, end_shard, result, signer, signature FROM jobs
            WHERE batch = $1 AND parent = $2 ORDER BY first_shard";
        let rows = sqlx::query(select)
            .bind(batch)
            .bind(job)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(child).collect()
    }

    /// Says that a worker process is alive, which extends what it holds up to each job's
    /// deadline. Gives what it still holds.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn heartbeat(&self, instance: &str, lease: Lease) -> Result<Vec<Held>, QueueError> {
        let seen = "UPDATE instances SET seen = @now WHERE id = $1";
        sqlx::query(self.sql(seen))
            .bind(instance)
            .execute(&self.pool)
            .await?;
        let extend = "UPDATE jobs SET lease =
                CASE WHEN deadline < @now + $2 THEN deadline ELSE @now + $2 END
            WHERE instance = $1 AND state = 'running' RETURNING batch, id, attempt";
        let rows = sqlx::query(self.sql(extend))
            .bind(instance)
            .bind(lease.millis())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(held).collect()
    }

    /// Takes jobs from workers whose lease has run out; how many. Whoever calls this has been
    /// in touch with the database for longer than a lease, or else an outage of it would look like
    /// the death of every worker.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn reap(&self) -> Result<usize, QueueError> {
        self.take_back(
            "SELECT batch, id, attempt, instance, deadline - @now AS left_ms FROM jobs
             WHERE state = 'running' AND lease < @now @skip_locked",
            true,
        )
        .await
    }

    /// Takes every running job back: only for who knows that no worker process is alive.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn take_all_back(&self) -> Result<usize, QueueError> {
        self.take_back(
            "SELECT batch, id, attempt, instance, deadline - @now AS left_ms FROM jobs
             WHERE state = 'running'",
            false,
        )
        .await
    }

    async fn take_back(&self, select: &'static str, is_failure: bool) -> Result<usize, QueueError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(self.sql(select)).fetch_all(&mut *tx).await?;
        for row in &rows {
            let left: Option<i64> = get(row, "left_ms")?;
            let instance: Option<String> = get(row, "instance")?;
            let instance = instance.unwrap_or_default();
            let (outcome, reason) = if left.is_some_and(|left| left < 0) {
                (
                    Outcome::Overdue,
                    format!("{instance} was not done at the deadline"),
                )
            } else {
                (
                    Outcome::Lost,
                    format!("{instance} was not heard of any more"),
                )
            };
            let outcome = if is_failure {
                outcome
            } else {
                Outcome::Released
            };
            self.end_attempt(&mut tx, &held(row)?, outcome, &reason)
                .await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }

    /// Gives back what a worker process holds without knowing it, because the answer to a claim
    /// was lost.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release_unknown(&self, instance: &str, known: &[Held]) -> Result<(), QueueError> {
        let select =
            "SELECT batch, id, attempt FROM jobs WHERE instance = $1 AND state = 'running'";
        let rows = sqlx::query(select)
            .bind(instance)
            .fetch_all(&self.pool)
            .await?;
        for row in &rows {
            let held = held(row)?;
            if !known.contains(&held) {
                self.release(&held, "the answer to the claim was lost")
                    .await?;
            }
        }
        Ok(())
    }

    /// Gives a job back untouched.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release(&self, held: &Held, reason: &str) -> Result<(), QueueError> {
        let mut tx: Transaction<'_, Any> = self.begin().await?;
        self.end_attempt(&mut tx, held, Outcome::Released, reason)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn held(row: &AnyRow) -> Result<Held, QueueError> {
    Ok(Held {
        batch: get(row, "batch")?,
        job: get(row, "id")?,
        attempt: get(row, "attempt")?,
    })
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
