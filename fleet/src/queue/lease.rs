//! Keeping jobs while they are worked on, and taking them from who is gone.

use std::time::Duration;

use sqlx::any::AnyRow;

use super::model::Outcome;
use super::rows::get;
use super::{JobLease, Queue, QueueError};

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

impl Queue {
    /// Says that a worker process is alive, which extends what it holds up to each job's
    /// deadline, if it was not revoked. Gives what it still holds, or `None` if it has to say
    /// registration again: the database has never heard of it, as one that was restored.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn heartbeat(
        &self,
        instance: &str,
        lease: Lease,
    ) -> Result<Option<Vec<JobLease>>, QueueError> {
        let seen = "UPDATE instances SET seen = @now WHERE id = $1";
        let seen = sqlx::query(self.sql(seen))
            .bind(instance)
            .execute(&mut *self.connection().await?)
            .await?;
        if seen.rows_affected() == 0 {
            return Ok(None);
        }
        let extend = "UPDATE jobs SET lease =
                CASE WHEN deadline < @now + $2 THEN deadline ELSE @now + $2 END
            WHERE instance = $1 AND state = 'running'
                AND EXISTS (SELECT 1 FROM instances, workers WHERE instances.id = $1
                    AND workers.name = instances.worker AND workers.revoked IS NULL)
            RETURNING batch, id, attempt";
        let rows = sqlx::query(self.sql(extend))
            .bind(instance)
            .bind(lease.millis())
            .fetch_all(&mut *self.connection().await?)
            .await?;
        rows.iter().map(held).collect::<Result<_, _>>().map(Some)
    }

    /// Takes jobs from workers whose lease has run out; how many. The caller has been in touch
    /// with the database for two leases, or else an outage of it would look like the
    /// death of every worker.
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
    pub async fn release_unknown(
        &self,
        instance: &str,
        known: &[JobLease],
    ) -> Result<(), QueueError> {
        let select =
            "SELECT batch, id, attempt FROM jobs WHERE instance = $1 AND state = 'running'";
        let rows = sqlx::query(select)
            .bind(instance)
            .fetch_all(&mut *self.connection().await?)
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
    pub async fn release(&self, held: &JobLease, reason: &str) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        self.end_attempt(&mut tx, held, Outcome::Released, reason)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says that a worker process leaves, and gives back whatever it holds.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn deregister_instance(&self, instance: &str) -> Result<(), QueueError> {
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
}

fn held(row: &AnyRow) -> Result<JobLease, QueueError> {
    Ok(JobLease {
        batch: get(row, "batch")?,
        job: get(row, "id")?,
        attempt: get(row, "attempt")?,
    })
}
