//! Rows as types; a value that this system does not write is an error.

use sqlx::any::AnyRow;
use sqlx::{Decode, Row as _, Type};

use super::QueueError;
use super::model::{AttemptView, BatchState, BatchView, JobState, JobView, Kind, Outcome};

/// The columns of a [`JobView`].
pub const JOB: &str = "batch, id, kind, first_shard, end_shard, size, memory, parent, input, state, \
     attempt, failures, instance, started, not_before, lease, deadline, result, took, finished";

/// The columns of a [`BatchView`].
pub const BATCH: &str = "id, source, label, profile, circuits, state, shards, transactions, max_failures, submitted, finished, proof";

/// The columns of an [`AttemptView`].
pub const ATTEMPT: &str = "batch, job, attempt, instance, started, ended, outcome, reason";

/// Returns the value in a column.
pub fn get<'r, T: Decode<'r, sqlx::Any> + Type<sqlx::Any>>(
    row: &'r AnyRow,
    column: &'static str,
) -> Result<T, QueueError> {
    Ok(row.try_get(column)?)
}

/// Returns a count or size.
pub fn number(row: &AnyRow, column: &'static str) -> Result<u64, QueueError> {
    let value: i64 = get(row, column)?;
    u64::try_from(value).map_err(|_| QueueError::Value {
        what: column,
        found: value.to_string().into(),
    })
}

/// Returns a name out of a fixed list.
pub fn named<T>(
    row: &AnyRow,
    column: &'static str,
    named: fn(&str) -> Option<T>,
) -> Result<T, QueueError> {
    let value: String = get(row, column)?;
    named(&value).ok_or(QueueError::Value {
        what: column,
        found: value.into(),
    })
}

/// Returns a count as the database takes it.
pub fn big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns a job.
pub fn job(row: &AnyRow) -> Result<JobView, QueueError> {
    Ok(JobView {
        batch: get(row, "batch")?,
        id: get(row, "id")?,
        kind: named(row, "kind", Kind::named)?,
        first: number(row, "first_shard")?,
        end: number(row, "end_shard")?,
        size: number(row, "size")?,
        memory: number(row, "memory")?,
        parent: get(row, "parent")?,
        input: get(row, "input")?,
        state: named(row, "state", JobState::named)?,
        attempt: number(row, "attempt")?,
        failures: number(row, "failures")?,
        instance: get(row, "instance")?,
        started: get(row, "started")?,
        not_before: get(row, "not_before")?,
        lease: get(row, "lease")?,
        deadline: get(row, "deadline")?,
        result: get(row, "result")?,
        took: get(row, "took")?,
        finished: get(row, "finished")?,
    })
}

/// Returns a batch; its jobs are counted apart.
pub fn batch(row: &AnyRow) -> Result<BatchView, QueueError> {
    Ok(BatchView {
        id: get(row, "id")?,
        source: get(row, "source")?,
        label: get(row, "label")?,
        profile: get(row, "profile")?,
        circuits: get(row, "circuits")?,
        state: named(row, "state", BatchState::named)?,
        shards: number(row, "shards")?,
        transactions: number(row, "transactions")?,
        max_failures: number(row, "max_failures")?,
        submitted: get(row, "submitted")?,
        finished: get(row, "finished")?,
        proof: get(row, "proof")?,
        jobs: [0; JobState::ALL.len()],
    })
}

/// Returns an attempt.
pub fn attempt(row: &AnyRow) -> Result<AttemptView, QueueError> {
    let outcome: Option<String> = get(row, "outcome")?;
    Ok(AttemptView {
        batch: get(row, "batch")?,
        job: get(row, "job")?,
        attempt: number(row, "attempt")?,
        instance: get(row, "instance")?,
        started: get(row, "started")?,
        ended: get(row, "ended")?,
        outcome: match outcome {
            None => None,
            Some(name) => Some(Outcome::named(&name).ok_or(QueueError::Value {
                what: "outcome",
                found: name.into(),
            })?),
        },
        reason: get(row, "reason")?,
    })
}
