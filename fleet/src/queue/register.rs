//! Which workers there may be.

use super::rows::{get, number};
use super::{Child, Queue, QueueError};
use crate::keys::{Claim, PublicKey, Signature};

/// A worker with so many invalidated results gets no more jobs.
pub const MAX_STRIKES: i64 = 3;

impl Queue {
    /// Lets the holder of a key work under a name. The same again changes nothing, except that
    /// a revoked worker may work again and its strikes are deleted.
    ///
    /// # Errors
    /// If the name has another key, or the key another name.
    pub async fn register(&self, name: &str, key: &PublicKey) -> Result<(), QueueError> {
        let key = key.to_string();
        let insert = "INSERT INTO workers (name, public_key, registered, strikes)
            VALUES ($1, $2, @now, 0) ON CONFLICT DO NOTHING";
        sqlx::query(self.sql(insert))
            .bind(name)
            .bind(&key)
            .execute(&mut *self.connection().await?)
            .await?;
        let update = "UPDATE workers SET revoked = NULL, strikes = 0
            WHERE name = $1 AND public_key = $2";
        let done = sqlx::query(update)
            .bind(name)
            .bind(&key)
            .execute(&mut *self.connection().await?)
            .await?;
        if done.rows_affected() == 0 {
            return Err(QueueError::Taken {
                name: name.into(),
                key: key.into(),
            });
        }
        Ok(())
    }

    /// Takes a worker's right to work; what it holds is given to others when its leases end.
    ///
    /// # Errors
    /// If there is no such worker.
    pub async fn revoke(&self, name: &str) -> Result<(), QueueError> {
        let update = "UPDATE workers SET revoked = @now WHERE name = $1";
        let done = sqlx::query(self.sql(update))
            .bind(name)
            .execute(&mut *self.connection().await?)
            .await?;
        if done.rows_affected() == 0 {
            return Err(QueueError::NoWorker { name: name.into() });
        }
        Ok(())
    }

    /// Returns the name under which a key may work.
    ///
    /// # Errors
    /// If the key is not registered, the worker revoked, or its results were invalidated too often.
    pub async fn worker_of(&self, key: &PublicKey) -> Result<String, QueueError> {
        let key = key.to_string();
        let select = "SELECT name, revoked, strikes FROM workers WHERE public_key = $1";
        let row = sqlx::query(select)
            .bind(&key)
            .fetch_optional(&mut *self.connection().await?)
            .await?
            .ok_or_else(|| QueueError::NotEnrolled {
                key: key.clone().into(),
            })?;
        let worker: String = get(&row, "name")?;
        if get::<Option<i64>>(&row, "revoked")?.is_some() {
            return Err(QueueError::Revoked {
                worker: worker.into(),
            });
        }
        let strikes = number(&row, "strikes")?.cast_signed();
        if strikes >= MAX_STRIKES {
            return Err(QueueError::Struck {
                worker: worker.into(),
                strikes,
            });
        }
        Ok(worker)
    }

    /// Returns the name under which a worker may work with these circuits: those of the last batch
    /// of the profile, and of open ones. Before the first batch any will do.
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
            .fetch_all(&mut *self.connection().await?)
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

    /// Returns the key of a worker, revoked or not; `None` if there is no such worker.
    ///
    /// # Errors
    /// Those of the database, and a key in it that is none.
    pub async fn key_of(&self, worker: &str) -> Result<Option<PublicKey>, QueueError> {
        let select = "SELECT public_key FROM workers WHERE name = $1";
        let row = sqlx::query(select)
            .bind(worker)
            .fetch_optional(&mut *self.connection().await?)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let text: String = get(&row, "public_key")?;
        match text.parse() {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(QueueError::Value {
                what: "public_key",
                found: text.into(),
            }),
        }
    }

    /// Returns whether a job's result is signed by the worker that the queue names, registered or
    /// revoked since.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_signed(&self, batch: &str, job: &Child) -> Result<bool, QueueError> {
        let parts = (&job.result, &job.signer, &job.signature);
        let (Some(result), Some(signer), Some(signature)) = parts else {
            return Ok(false);
        };
        let (Ok(result), Ok(signature)) = (result.parse(), signature.parse::<Signature>()) else {
            return Ok(false);
        };
        let Some(key) = self.key_of(signer).await? else {
            return Ok(false);
        };
        let claim = Claim::Result {
            batch,
            job: &job.job,
            result,
        };
        Ok(key.verify(&claim, &signature))
    }
}
