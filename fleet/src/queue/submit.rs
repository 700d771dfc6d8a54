//! Putting a batch's jobs into the queue.

use super::model::{BatchState, Kind};
use super::rows::{big, get, named};
use super::{Queue, QueueError, Tx};
use crate::manifest::{Job, Manifest};
use crate::objects::ObjectName;

/// A batch whose manifest and witnesses are in the store.
#[derive(Clone, Debug)]
pub struct Submission<'a> {
    /// The manifest's object: the batch's id.
    pub id: ObjectName,
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The digest of the batch file's content, 64 hexadecimal digits.
    pub source: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// How many attempts of one job may fail or be lost before it is dead-lettered.
    pub max_failures: u32,
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Its jobs are in the queue.
    New,
    /// They were before, and stand thus.
    Known(BatchState),
}

impl Queue {
    /// Puts a batch's jobs into the queue, all of them or none. A batch that is there already
    /// is left as it is, unless it was cancelled: then it goes on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn submit(&self, submission: &Submission<'_>) -> Result<Submitted, QueueError> {
        let mut tx = self.begin().await?;
        if !self.insert_batch(&mut tx, submission).await? {
            let id = submission.id.to_string();
            let state = sqlx::query("SELECT state FROM batches WHERE id = $1")
                .bind(&id)
                .fetch_one(&mut *tx)
                .await?;
            let state = named(&state, "state", BatchState::named)?;
            if state == BatchState::Cancelled {
                self.reopen(&mut tx, &id).await?;
            }
            tx.commit().await?;
            return Ok(Submitted::Known(state));
        }
        let circuits = "INSERT INTO circuits (profile, key_id, added) VALUES ($1, $2, @now)
            ON CONFLICT (profile, key_id) DO UPDATE SET added = @now";
        sqlx::query(self.sql(circuits))
            .bind(submission.manifest.profile())
            .bind(submission.manifest.circuits())
            .execute(&mut *tx)
            .await?;
        for job in submission.manifest.jobs(submission.manifest.arity()) {
            self.insert_job(&mut tx, submission, &job).await?;
        }
        tx.commit().await?;
        Ok(Submitted::New)
    }

    /// Returns whether a batch was ever submitted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn has_had_batches(&self) -> Result<bool, QueueError> {
        // They stay when a batch is deleted.
        let row = sqlx::query("SELECT key_id FROM circuits LIMIT 1")
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        Ok(row.is_some())
    }

    /// Whether the batch was not there yet.
    async fn insert_batch(
        &self,
        tx: &mut Tx,
        submission: &Submission<'_>,
    ) -> Result<bool, QueueError> {
        let manifest = submission.manifest;
        let insert = "INSERT INTO batches
            (id, source, label, profile, circuits, shards, transactions, max_failures, state, submitted)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', @now)
            ON CONFLICT DO NOTHING";
        let done = sqlx::query(self.sql(insert))
            .bind(submission.id.to_string())
            .bind(submission.source)
            .bind(submission.label)
            .bind(manifest.profile())
            .bind(manifest.circuits())
            .bind(big(manifest.shards().len() as u64))
            .bind(big(manifest.transactions()))
            .bind(i64::from(submission.max_failures))
            .execute(&mut **tx)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn insert_job(
        &self,
        tx: &mut Tx,
        submission: &Submission<'_>,
        job: &Job,
    ) -> Result<(), QueueError> {
        let insert = "INSERT INTO jobs
            (batch, id, kind, first_shard, end_shard, size, memory, circuits, rank, submitted,
             parent, input, missing, state, attempt, failures)
            SELECT $1, $2, $3, $4, $5, $6, $7, circuits, $8, submitted, $9, $10, $11, $12, 0, 0
            FROM batches WHERE id = $1";
        sqlx::query(insert)
            .bind(submission.id.to_string())
            .bind(hex::encode(job.id))
            .bind(job.kind.name())
            .bind(big(job.first as u64))
            .bind(big(job.end as u64))
            .bind(big(job.size))
            .bind(big(job.memory))
            .bind(rank(job.kind))
            .bind(job.parent.map(hex::encode))
            .bind(job.input.map(|name| name.to_string()))
            .bind(big(job.children as u64))
            .bind(if job.children == 0 {
                "queued"
            } else {
                "waiting"
            })
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Batches of this profile that were made of the same file, the latest first: id and state.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn batches_of(
        &self,
        source: &str,
        profile: &str,
    ) -> Result<Vec<(String, BatchState)>, QueueError> {
        let select = "SELECT id, state FROM batches WHERE source = $1 AND profile = $2
            ORDER BY submitted DESC, id";
        let rows = sqlx::query(select)
            .bind(source)
            .bind(profile)
            .fetch_all(&mut *self.connection().await?)
            .await?;
        rows.iter()
            .map(|row| Ok((get(row, "id")?, named(row, "state", BatchState::named)?)))
            .collect()
    }
}

/// Which jobs go first: whatever brings a batch nearer to its end before new shards, so that
/// the store holds little.
const fn rank(kind: Kind) -> i64 {
    match kind {
        Kind::Wrap => 0,
        Kind::Finish => 1,
        Kind::Aggregate => 2,
        Kind::Shard => 3,
    }
}
