//! The tables, alike in SQLite and PostgreSQL.

use sqlx::AssertSqlSafe;

use super::{Queue, QueueError};

/// What this build writes and reads.
const VERSION: i64 = 4;

/// Every time is in milliseconds since 1970 by the database's clock; names of objects, keys
/// and signatures are hexadecimal; a column without NOT NULL is empty until what it says has
/// happened. What a worker's role may write is bounded in length: others read and show it.
const TABLES: [&str; 16] = [
    "CREATE TABLE IF NOT EXISTS fleet (version BIGINT PRIMARY KEY)",
    // The circuits of batches, and when one with them was last submitted: a worker with others
    // than the last or those of open batches is refused.
    "CREATE TABLE IF NOT EXISTS circuits (
        profile TEXT NOT NULL,
        key_id TEXT NOT NULL,
        added BIGINT NOT NULL,
        PRIMARY KEY (profile, key_id))",
    "CREATE TABLE IF NOT EXISTS workers (
        name TEXT PRIMARY KEY,
        public_key TEXT NOT NULL UNIQUE,
        registered BIGINT NOT NULL,
        revoked BIGINT,
        strikes BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS instances (
        id TEXT PRIMARY KEY,
        worker TEXT NOT NULL REFERENCES workers (name),
        host TEXT NOT NULL,
        profile TEXT NOT NULL,
        circuits TEXT NOT NULL,
        kinds TEXT NOT NULL,
        slots BIGINT NOT NULL,
        memory BIGINT NOT NULL,
        registration TEXT NOT NULL,
        started BIGINT NOT NULL,
        seen BIGINT NOT NULL,
        left_at BIGINT,
        CHECK (octet_length(id) <= 128 AND octet_length(host) <= 256
            AND octet_length(profile) <= 64 AND octet_length(circuits) <= 64
            AND octet_length(kinds) <= 64 AND octet_length(registration) <= 128))",
    // `source` is the digest of the batch file's content, `id` the manifest's object.
    "CREATE TABLE IF NOT EXISTS batches (
        id TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        label TEXT NOT NULL,
        profile TEXT NOT NULL,
        circuits TEXT NOT NULL,
        shards BIGINT NOT NULL,
        transactions BIGINT NOT NULL,
        max_failures BIGINT NOT NULL,
        state TEXT NOT NULL,
        submitted BIGINT NOT NULL,
        finished BIGINT,
        proof TEXT,
        CHECK (octet_length(state) <= 16 AND octet_length(proof) <= 64))",
    // `missing` counts the jobs with this one as parent that are not done; `rank` is 0 for what
    // goes before everything else.
    "CREATE TABLE IF NOT EXISTS jobs (
        batch TEXT NOT NULL REFERENCES batches (id),
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        first_shard BIGINT NOT NULL,
        end_shard BIGINT NOT NULL,
        size BIGINT NOT NULL,
        memory BIGINT NOT NULL,
        circuits TEXT NOT NULL,
        rank BIGINT NOT NULL,
        submitted BIGINT NOT NULL,
        parent TEXT,
        input TEXT,
        missing BIGINT NOT NULL,
        state TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        failures BIGINT NOT NULL,
        instance TEXT,
        not_before BIGINT,
        started BIGINT,
        lease BIGINT,
        deadline BIGINT,
        result TEXT,
        signer TEXT,
        signature TEXT,
        took BIGINT,
        finished BIGINT,
        PRIMARY KEY (batch, id),
        CHECK (octet_length(state) <= 16 AND octet_length(instance) <= 128
            AND octet_length(result) <= 64 AND octet_length(signer) <= 64
            AND octet_length(signature) <= 128))",
    "CREATE TABLE IF NOT EXISTS attempts (
        batch TEXT NOT NULL,
        job TEXT NOT NULL,
        attempt BIGINT NOT NULL,
        instance TEXT NOT NULL,
        started BIGINT NOT NULL,
        ended BIGINT,
        outcome TEXT,
        reason TEXT,
        PRIMARY KEY (batch, job, attempt),
        CHECK (octet_length(batch) <= 64 AND octet_length(job) <= 64
            AND octet_length(instance) <= 128 AND octet_length(outcome) <= 16
            AND octet_length(reason) <= 16000))",
    "CREATE INDEX IF NOT EXISTS jobs_next ON jobs (state, rank, submitted, batch, first_shard)",
    "CREATE INDEX IF NOT EXISTS jobs_id ON jobs (id)",
    "CREATE INDEX IF NOT EXISTS jobs_input ON jobs (input)",
    "CREATE INDEX IF NOT EXISTS jobs_finished ON jobs (state, finished)",
    "CREATE INDEX IF NOT EXISTS attempts_ended ON attempts (ended)",
    "CREATE INDEX IF NOT EXISTS jobs_parent ON jobs (batch, parent)",
    "CREATE INDEX IF NOT EXISTS jobs_times ON jobs (circuits, kind, size, finished)",
    "CREATE INDEX IF NOT EXISTS attempts_instance ON attempts (instance)",
    "CREATE INDEX IF NOT EXISTS batches_source ON batches (source)",
];

impl Queue {
    /// Checks that the tables are there and of this version.
    pub(super) async fn check_tables(&self) -> Result<(), QueueError> {
        let version = self.version().await;
        check_version(version.map_err(|error| self.without_tables(error))?)
    }

    /// What an error says if it says that there are no tables.
    pub(super) fn without_tables(&self, error: QueueError) -> QueueError {
        match error {
            QueueError::Database(error) if is_missing_table(&error) => self.place.no_queue(),
            error => error,
        }
    }

    /// Makes the tables that are not there.
    pub(super) async fn create_tables(&self) -> Result<(), QueueError> {
        match self.version().await {
            Ok(found) => return check_version(found),
            // A worker's role may not even try to make them.
            Err(QueueError::Database(error)) if is_missing_table(&error) => {}
            Err(error) => return Err(error),
        }
        let mut tx = self.begin().await?;
        if self.dialect.is_postgres() {
            // Two processes may come first at once.
            sqlx::query("SELECT 1 FROM (SELECT pg_advisory_xact_lock(7235420)) AS lock")
                .execute(&mut *tx)
                .await?;
        }
        for table in TABLES {
            sqlx::query(AssertSqlSafe(table)).execute(&mut *tx).await?;
        }
        sqlx::query("INSERT INTO fleet (version) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM fleet)")
            .bind(VERSION)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        check_version(self.version().await?)
    }

    /// The version of the tables. Fails if they are not there.
    async fn version(&self) -> Result<i64, QueueError> {
        let version = sqlx::query_scalar("SELECT version FROM fleet");
        Ok(version.fetch_one(&mut *self.connection().await?).await?)
    }
}

fn check_version(found: i64) -> Result<(), QueueError> {
    match found {
        VERSION => Ok(()),
        found => Err(QueueError::Version {
            found,
            expected: VERSION,
        }),
    }
}

/// `undefined_table` of PostgreSQL; SQLite has no code for it.
fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().is_some_and(|code| code == "42P01")
            || error.message().starts_with("no such table")
    })
}
