//! The end of an attempt: done, failed, given back, or invalidated later.

use std::time::Duration;

use super::claim::{Child, JobLease};
use super::model::{JobState, Outcome};
use super::rows::{named, number};
use super::{Lease, Queue, QueueError, Tx};
use crate::keys::Signature;
use crate::objects::ObjectName;

/// A result that is in the store, verified by who hands it in.
#[derive(Clone, Copy, Debug)]
pub struct Completion<'a> {
    /// The attempt.
    pub held: &'a JobLease,
    /// The worker process.
    pub instance: &'a str,
    /// The result's object.
    pub result: ObjectName,
    /// The worker's signature over batch, job and result.
    pub signature: &'a Signature,
    /// How long proving took by the worker's clock, without waiting for anything; `None` if the
    /// result was found in the store.
    pub took: Option<Duration>,
}

/// What became of a result that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionOutcome {
    /// It is the job's result.
    Accepted,
    /// The job was done already, or its batch cancelled.
    Late,
    /// There is no such job any more: its batch was deleted.
    Gone,
}

/// The pause after a job's first failure; it doubles up to eight times this.
const BACKOFF: Duration = Duration::from_secs(2);
/// The most characters of a reason that are kept.
const REASON: usize = 4_000;

impl Queue {
    /// Makes a result that of its job, and frees the job that waits for it, in one transaction.
    /// A verified result is accepted no matter who holds the job. The same again changes nothing.
    ///
    /// # Errors
    /// If the worker was revoked.
    pub async fn complete(
        &self,
        completion: &Completion<'_>,
    ) -> Result<CompletionOutcome, QueueError> {
        let JobLease {
            batch,
            job,
            attempt,
        } = completion.held;
        let result = completion.result.to_string();
        let took = completion.took.map(|took| Lease(took).millis());
        let mut tx = self.begin().await?;
        self.share_batch(&mut tx, batch).await?;
        let update = "UPDATE jobs SET state = 'done', result = $3, instance = $4, signature = $5,
                signer = (SELECT worker FROM instances WHERE id = $4),
                took = CASE WHEN attempt <> $7 THEN NULL
                    WHEN CAST($6 AS BIGINT) > @now - started THEN @now - started
                    ELSE CAST($6 AS BIGINT) END,
                finished = @now, lease = NULL, deadline = NULL, not_before = NULL
            WHERE batch = $1 AND id = $2 AND state IN ('running', 'queued', 'dead-lettered')
                AND EXISTS (SELECT 1 FROM instances, workers WHERE instances.id = $4
                    AND workers.name = instances.worker AND workers.revoked IS NULL)";
        let done = sqlx::query(self.sql(update))
            .bind(batch)
            .bind(job)
            .bind(&result)
            .bind(completion.instance)
            .bind(completion.signature.to_string())
            .bind(took)
            .bind(*attempt)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return self.not_taken(tx, completion, &result).await;
        }
        self.close_attempts(&mut tx, completion.held).await?;
        self.free_parent(&mut tx, batch, job).await?;
        self.end_batch(&mut tx, batch, job).await?;
        tx.commit().await?;
        Ok(CompletionOutcome::Accepted)
    }

    /// Says that a batch is proven if this job was the last that was not done: the finish, or the
    /// wrap of a batch that has one.
    async fn end_batch(&self, tx: &mut Tx, batch: &str, job: &str) -> Result<(), QueueError> {
        let end = "UPDATE batches SET state = 'proven', finished = @now,
                proof = (SELECT result FROM jobs WHERE batch = $1 AND kind = 'finish')
            WHERE id = $1 AND state = 'open'
                AND EXISTS (SELECT 1 FROM jobs
                    WHERE batch = $1 AND jobs.id = $2 AND kind IN ('finish', 'wrap'))
                AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch = $1
                    AND kind IN ('finish', 'wrap') AND jobs.state <> 'done')";
        sqlx::query(self.sql(end))
            .bind(batch)
            .bind(job)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Keeps a batch from being cancelled until the transaction ends: what it does to several
    /// jobs is then seen as a whole.
    async fn share_batch(&self, tx: &mut Tx, batch: &str) -> Result<(), QueueError> {
        sqlx::query(self.sql("SELECT state FROM batches WHERE id = $1 @for_share"))
            .bind(batch)
            .fetch_optional(&mut **tx)
            .await?;
        Ok(())
    }

    /// Why a result is not taken: the job is done, perhaps by this very result, or cancelled,
    /// or the worker was revoked.
    async fn not_taken(
        &self,
        mut tx: Tx,
        completion: &Completion<'_>,
        result: &str,
    ) -> Result<CompletionOutcome, QueueError> {
        let JobLease { batch, job, .. } = completion.held;
        let select =
            "SELECT state, CASE WHEN result = $3 AND instance = $4 THEN 1 ELSE 0 END AS same
            FROM jobs WHERE batch = $1 AND id = $2";
        let row = sqlx::query(select)
            .bind(batch)
            .bind(job)
            .bind(result)
            .bind(completion.instance)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            return self.gone(&mut tx, completion.instance).await;
        };
        let same = number(&row, "same")? == 1;
        let state = named(&row, "state", JobState::named)?;
        if state == JobState::Done && same {
            return Ok(CompletionOutcome::Accepted);
        }
        let revoked = "SELECT name FROM workers WHERE revoked IS NOT NULL
            AND name = (SELECT worker FROM instances WHERE id = $1)";
        let revoked: Option<String> = sqlx::query_scalar(revoked)
            .bind(completion.instance)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(worker) = revoked {
            return Err(QueueError::Revoked {
                worker: worker.into(),
            });
        }
        self.end_attempt(&mut tx, completion.held, Outcome::Superseded, "")
            .await?;
        tx.commit().await?;
        Ok(CompletionOutcome::Late)
    }

    /// A database that knows the worker has deleted the job's batch; another one was restored,
    /// and may hear of the batch again.
    async fn gone(&self, tx: &mut Tx, instance: &str) -> Result<CompletionOutcome, QueueError> {
        let known = sqlx::query("SELECT id FROM instances WHERE id = $1")
            .bind(instance)
            .fetch_optional(&mut **tx)
            .await?;
        Ok(known.map_or(CompletionOutcome::Late, |_| CompletionOutcome::Gone))
    }

    async fn close_attempts(&self, tx: &mut Tx, held: &JobLease) -> Result<(), QueueError> {
        let update = "UPDATE attempts SET ended = @now,
                outcome = CASE WHEN attempt = $3 THEN 'done' ELSE 'superseded' END
            WHERE batch = $1 AND job = $2 AND (outcome IS NULL OR attempt = $3)";
        sqlx::query(self.sql(update))
            .bind(&held.batch)
            .bind(&held.job)
            .bind(held.attempt)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    async fn free_parent(&self, tx: &mut Tx, batch: &str, job: &str) -> Result<(), QueueError> {
        let update = "UPDATE jobs SET missing = missing - 1,
                state = CASE WHEN missing <= 1 AND state = 'waiting' THEN 'queued' ELSE state END
            WHERE batch = $1 AND id = (SELECT parent FROM jobs AS child
                WHERE child.batch = $1 AND child.id = $2)";
        sqlx::query(update)
            .bind(batch)
            .bind(job)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Says that an attempt failed. Only the attempt that holds the job can end it. If it
    /// `counts`, the job is dead-lettered after so many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fail(
        &self,
        held: &JobLease,
        reason: &str,
        counts: bool,
    ) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        self.end(&mut tx, held, Outcome::Failed, reason, counts)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends an attempt without a result: the job is queued again, after a pause if it went
    /// wrong, or dead-lettered if that has happened too often. A job that others hold is left alone.
    pub(super) async fn end_attempt(
        &self,
        tx: &mut Tx,
        held: &JobLease,
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), QueueError> {
        let counts = matches!(outcome, Outcome::Failed | Outcome::Lost | Outcome::Overdue);
        self.end(tx, held, outcome, reason, counts).await
    }

    async fn end(
        &self,
        tx: &mut Tx,
        held: &JobLease,
        outcome: Outcome,
        reason: &str,
        counts: bool,
    ) -> Result<(), QueueError> {
        let JobLease {
            batch,
            job,
            attempt,
        } = held;
        let free = "UPDATE jobs SET lease = NULL, deadline = NULL, failures = failures + $4,
                state = CASE WHEN failures + $4 >= (SELECT max_failures FROM batches
                    WHERE batches.id = jobs.batch) AND $4 > 0 THEN 'dead-lettered'
                    WHEN missing > 0 THEN 'waiting' ELSE 'queued' END,
                not_before = @now + $5 * $4 *
                    (CASE failures WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 4 ELSE 8 END)
            WHERE batch = $1 AND id = $2 AND attempt = $3 AND state = 'running'";
        sqlx::query(self.sql(free))
            .bind(batch)
            .bind(job)
            .bind(attempt)
            .bind(i64::from(counts))
            .bind(Lease(BACKOFF).millis())
            .execute(&mut **tx)
            .await?;
        let end = "UPDATE attempts SET ended = @now, outcome = $4, reason = $5
            WHERE batch = $1 AND job = $2 AND attempt = $3 AND outcome IS NULL";
        sqlx::query(self.sql(end))
            .bind(batch)
            .bind(job)
            .bind(attempt)
            .bind(outcome.name())
            .bind(shortened(reason))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Opens a done job again because its result cannot be used, and gives the job that was to
    /// use it back until then. `by` is the attempt that found out: it must hold its job. With
    /// `is_false` the result is there and false, which is held against the worker that signed
    /// it. The same again changes nothing. The child is dead-lettered if it had failed or been invalidated
    /// too often before: one loss is none of its own.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn invalidate(
        &self,
        by: &JobLease,
        child: &Child,
        is_false: bool,
        reason: &str,
    ) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        self.share_batch(&mut tx, &by.batch).await?;
        let wait = "UPDATE jobs SET missing = missing + 1, state = 'waiting', lease = NULL,
                deadline = NULL
            WHERE batch = $1 AND id = $2 AND attempt = $3 AND state = 'running'
                AND EXISTS (SELECT 1 FROM batches WHERE id = $1 AND state = 'open')
                AND EXISTS (SELECT 1 FROM jobs AS child WHERE child.batch = $1
                    AND child.id = $4 AND child.parent = $2 AND child.state = 'done'
                    AND child.result = $5)";
        let waits = sqlx::query(wait)
            .bind(&by.batch)
            .bind(&by.job)
            .bind(by.attempt)
            .bind(&child.job)
            .bind(child.result.as_deref().unwrap_or(""))
            .execute(&mut *tx)
            .await?;
        if waits.rows_affected() == 0 {
            return Ok(());
        }
        self.end_attempt(&mut tx, by, Outcome::Released, reason)
            .await?;
        self.reopen_done(&mut tx, &by.batch, child, is_false, reason)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Opens a done job again if it still has this result, holding that against the worker that
    /// signed it if it is false.
    pub(super) async fn reopen_done(
        &self,
        tx: &mut Tx,
        batch: &str,
        job: &Child,
        is_false: bool,
        reason: &str,
    ) -> Result<(), QueueError> {
        let open = "UPDATE jobs SET failures = failures + 1, result = NULL, signer = NULL,
                signature = NULL, took = NULL, finished = NULL,
                state = CASE WHEN failures >= (SELECT max_failures FROM batches
                    WHERE batches.id = jobs.batch) THEN 'dead-lettered'
                    WHEN missing > 0 THEN 'waiting' ELSE 'queued' END
            WHERE batch = $1 AND id = $2 AND state = 'done' AND result = $3";
        let opened = sqlx::query(open)
            .bind(batch)
            .bind(&job.job)
            .bind(job.result.as_deref().unwrap_or(""))
            .execute(&mut **tx)
            .await?;
        if opened.rows_affected() == 0 {
            return Ok(());
        }
        if let (true, Some(signer)) = (is_false, &job.signer) {
            let strike = "UPDATE workers SET strikes = strikes + 1 WHERE name = $1";
            sqlx::query(strike).bind(signer).execute(&mut **tx).await?;
        }
        // Dated to now, when it is news.
        let mark = "UPDATE attempts SET outcome = 'invalidated', reason = $3, ended = @now
            WHERE batch = $1 AND job = $2 AND outcome = 'done'";
        sqlx::query(self.sql(mark))
            .bind(batch)
            .bind(&job.job)
            .bind(shortened(reason))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// The start of a reason.
fn shortened(reason: &str) -> String {
    // PostgreSQL takes no NUL in a text.
    reason
        .chars()
        .filter(|&char| char != '\0')
        .take(REASON)
        .collect()
}
