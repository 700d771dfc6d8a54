//! What operators do to batches and jobs.

use super::claim::child;
use super::model::{BatchState, Kind};
use super::rows::{big, get, named};
use super::{Child, Queue, QueueError, Tx};

impl Queue {
    /// Returns the one batch whose id starts like this.
    ///
    /// # Errors
    /// If there is none, or several.
    pub async fn batch_id(&self, prefix: &str) -> Result<String, QueueError> {
        let select =
            "SELECT id FROM batches WHERE substr(id, 1, CAST($2 AS INTEGER)) = $1 ORDER BY id";
        let ids = sqlx::query_scalar(select)
            .bind(prefix)
            .bind(big(prefix.len() as u64))
            .fetch_all(&mut *self.connection().await?)
            .await?;
        the_one("batch", prefix, ids)
    }

    /// Stops a batch: what is not done is not begun. What is done stays in the store.
    ///
    /// # Errors
    /// If it is proven already.
    pub async fn cancel(&self, batch: &str) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        let update = "UPDATE batches SET state = 'cancelled', finished = @now
            WHERE id = $1 AND state = 'open'";
        let done = sqlx::query(self.sql(update))
            .bind(batch)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(QueueError::BatchState {
                batch: batch.into(),
                found: self.batch_state(&mut tx, batch).await?,
                expected: BatchState::Open,
            });
        }
        let jobs = "UPDATE jobs SET state = 'cancelled', lease = NULL, deadline = NULL
            WHERE batch = $1 AND state <> 'done'";
        sqlx::query(jobs).bind(batch).execute(&mut *tx).await?;
        let attempts = "UPDATE attempts SET outcome = 'superseded', ended = @now,
            reason = 'the batch was cancelled' WHERE batch = $1 AND outcome IS NULL";
        sqlx::query(self.sql(attempts))
            .bind(batch)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lets dead-lettered jobs of a batch, or one of them, be tried again at once, as often as new
    /// ones; how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn retry(&self, batch: &str, job: Option<&str>) -> Result<u64, QueueError> {
        let update = "UPDATE jobs SET failures = 0, not_before = NULL,
                state = CASE WHEN missing > 0 THEN 'waiting' ELSE 'queued' END
            WHERE batch = $1 AND state = 'dead-lettered' AND (id = $2 OR $2 = '')";
        let done = sqlx::query(update)
            .bind(batch)
            .bind(job.unwrap_or(""))
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(done.rows_affected())
    }

    /// Returns the job that made a batch's validity proof, with its result and signature.
    ///
    /// # Errors
    /// If there is no such batch.
    pub async fn finish_of(&self, batch: &str) -> Result<Child, QueueError> {
        let finish = self.only(batch, Kind::Finish).await?;
        finish.ok_or_else(|| unknown(batch))
    }

    /// Returns the job that makes a batch's settlement proof, if it has one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wrap_of(&self, batch: &str) -> Result<Option<Child>, QueueError> {
        self.only(batch, Kind::Wrap).await
    }

    /// The job of a kind of which a batch has at most one.
    async fn only(&self, batch: &str, kind: Kind) -> Result<Option<Child>, QueueError> {
        let select = "SELECT id, first_shard, end_shard, result, signer, signature FROM jobs
            WHERE batch = $1 AND kind = $2";
        let row = sqlx::query(select)
            .bind(batch)
            .bind(kind.name())
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        row.as_ref().map(child).transpose()
    }

    /// Opens a proven batch again of which this result of its finish or its wrap cannot be used: it
    /// is made anew. With `is_false` it is there and false, which is held against the worker that
    /// signed it. A settlement proof stays when the validity proof is made anew.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn invalidate_proof(
        &self,
        batch: &str,
        job: &Child,
        is_false: bool,
        reason: &str,
    ) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        let open = "UPDATE batches SET state = 'open', finished = NULL, proof = NULL
            WHERE id = $1 AND state = 'proven' AND EXISTS (SELECT 1 FROM jobs
                WHERE batch = $1 AND jobs.id = $2 AND kind IN ('finish', 'wrap')
                    AND jobs.state = 'done' AND result = $3)";
        let opened = sqlx::query(open)
            .bind(batch)
            .bind(&job.job)
            .bind(job.result.as_deref().unwrap_or(""))
            .execute(&mut *tx)
            .await?;
        if opened.rows_affected() > 0 {
            let misses = "UPDATE jobs SET missing = missing + 1
                WHERE batch = $1 AND id = (SELECT parent FROM jobs AS child
                    WHERE child.batch = $1 AND child.id = $2)";
            sqlx::query(misses)
                .bind(batch)
                .bind(&job.job)
                .execute(&mut *tx)
                .await?;
            self.reopen_done(&mut tx, batch, job, is_false, reason)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Lets a cancelled batch go on.
    pub(super) async fn reopen(&self, tx: &mut Tx, batch: &str) -> Result<(), QueueError> {
        let update = "UPDATE batches SET state = 'open', finished = NULL
            WHERE id = $1 AND state = 'cancelled'";
        sqlx::query(update).bind(batch).execute(&mut **tx).await?;
        let jobs = "UPDATE jobs SET failures = 0, not_before = NULL,
                state = CASE WHEN missing > 0 THEN 'waiting' ELSE 'queued' END
            WHERE batch = $1 AND state = 'cancelled'";
        sqlx::query(jobs).bind(batch).execute(&mut **tx).await?;
        Ok(())
    }

    /// Removes a batch that is proven or cancelled, with its jobs. Its objects are the caller's
    /// to remove, before this.
    ///
    /// # Errors
    /// If it is open.
    pub async fn delete(&self, batch: &str) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        self.refuse_open(&mut tx, batch).await?;
        for delete in [
            "DELETE FROM attempts WHERE batch = $1",
            "DELETE FROM jobs WHERE batch = $1",
            "DELETE FROM batches WHERE id = $1",
        ] {
            sqlx::query(delete).bind(batch).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Says if a batch is open.
    ///
    /// # Errors
    /// If it is, or is not there.
    pub async fn check_closed(&self, batch: &str) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        self.refuse_open(&mut tx, batch).await
    }

    async fn refuse_open(&self, tx: &mut Tx, batch: &str) -> Result<(), QueueError> {
        let found = self.batch_state(tx, batch).await?;
        if found == BatchState::Open {
            return Err(QueueError::BatchState {
                batch: batch.into(),
                found,
                expected: BatchState::Proven,
            });
        }
        Ok(())
    }

    /// Returns the object of a batch's validity proof.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn proof_of(&self, batch: &str) -> Result<Option<String>, QueueError> {
        let row = sqlx::query("SELECT proof FROM batches WHERE id = $1")
            .bind(batch)
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        row.map_or(Ok(None), |row| get(&row, "proof"))
    }

    /// Returns whether this object is the validity proof of a batch.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_proof(&self, object: &str) -> Result<bool, QueueError> {
        let row = sqlx::query("SELECT id FROM batches WHERE proof = $1 LIMIT 1")
            .bind(object)
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        Ok(row.is_some())
    }

    /// Returns whether no job of these circuits, and of this batch if one is named, is ready or in
    /// work.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_idle(&self, circuits: &str, batch: Option<&str>) -> Result<bool, QueueError> {
        let select = "SELECT id FROM jobs WHERE circuits = $1 AND state IN ('queued', 'running')
            AND ($2 = '' OR batch = $2) LIMIT 1";
        let row = sqlx::query(select)
            .bind(circuits)
            .bind(batch.unwrap_or(""))
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        Ok(row.is_none())
    }

    /// Returns whether a job of another batch has this input or id: then its objects are not this
    /// batch's alone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_shared(&self, batch: &str, input_or_id: &str) -> Result<bool, QueueError> {
        let select = "SELECT id FROM jobs WHERE batch <> $1 AND (input = $2 OR id = $2) LIMIT 1";
        let row = sqlx::query(select)
            .bind(batch)
            .bind(input_or_id)
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        Ok(row.is_some())
    }

    async fn batch_state(&self, tx: &mut Tx, batch: &str) -> Result<BatchState, QueueError> {
        let row = sqlx::query("SELECT state FROM batches WHERE id = $1")
            .bind(batch)
            .fetch_optional(&mut **tx)
            .await?
            .ok_or_else(|| unknown(batch))?;
        named(&row, "state", BatchState::named)
    }
}

fn unknown(batch: &str) -> QueueError {
    QueueError::Unknown {
        what: "batch",
        prefix: batch.into(),
    }
}

/// The only id of a list.
pub(super) fn the_one(
    what: &'static str,
    prefix: &str,
    ids: Vec<String>,
) -> Result<String, QueueError> {
    let count = ids.len();
    let mut ids = ids.into_iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(QueueError::Unknown {
            what,
            prefix: prefix.into(),
        }),
        _ => Err(QueueError::Ambiguous {
            what,
            prefix: prefix.into(),
            count,
        }),
    }
}
