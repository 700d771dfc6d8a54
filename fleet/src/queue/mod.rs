//! The queue: which jobs there are, and who holds them.
//!
//! One SQL for two engines: SQLite in one file, for one machine, and PostgreSQL for a fleet.
//! The queue holds names and states, never proofs. Every change is one transaction, and every
//! time is the database's, so that workers' clocks do not matter.

mod admin;
mod claim;
mod complete;
mod error;
mod lease;
pub mod model;
mod place;
mod pool;
mod register;
mod rows;
mod schema;
mod stats;
mod status;
mod submit;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe, SqlSafeStr as _, SqlStr, Transaction};

pub use claim::{Child, Claimed, JobLease, Registration, Wanted};
pub use complete::{Completion, CompletionOutcome};
pub use error::QueueError;
pub use lease::Lease;
pub use status::Explained;
pub use submit::{Submission, Submitted};

use place::Place;
use pool::{RETRY_TIME, Renewal};

/// A transaction of either engine.
type Tx = Transaction<'static, Any>;

/// The engine under the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    fn of(url: &str) -> Result<Self, QueueError> {
        let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
        match scheme {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            // Without a scheme it may be anything, a password too.
            found => Err(QueueError::Url {
                found: match found.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    true if found != url => found.into(),
                    _ => "".into(),
                },
            }),
        }
    }

    const fn is_postgres(self) -> bool {
        matches!(self, Self::Postgres)
    }

    /// The time of the statement in milliseconds.
    const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Self::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// What takes rows that no other transaction is taking. SQLite has one writer at a time.
    const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// What keeps rows as they are until the transaction ends.
    const fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR SHARE",
        }
    }

    /// What begins a transaction that will write.
    const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What begins a transaction that sees the database as it is at one moment.
    const fn look(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// A connection to the database of a fleet; cheap to clone.
#[derive(Clone)]
pub struct Queue {
    place: Arc<Place>,
    pool: AnyPool,
    renewal: Arc<Renewal>,
    dialect: Dialect,
}

/// The pause before SQLite is asked again for what it does not wait for by itself.
const BUSY: Duration = Duration::from_millis(5);
/// Connections of one process, and of its thread that keeps the leases.
const CONNECTIONS: u32 = 4;
const CONNECTIONS_OF_HEARTBEAT: u32 = 1;

impl Queue {
    /// Connects to `sqlite://PATH` or `postgres://...`, and makes SQLite's file and the tables if
    /// there are none.
    ///
    /// # Errors
    /// If the database is unavailable (see [`QueueError::is_transient`]) or is of another version.
    pub async fn connect(url: &str) -> Result<Self, QueueError> {
        let queue = Self::over(Place::of(url)?.into(), CONNECTIONS)?;
        queue.place.make()?;
        queue.reach().await?;
        if !queue.dialect.is_postgres() {
            queue.let_readers_go_on().await?;
        }
        queue.create_tables().await?;
        Ok(queue)
    }

    /// Connects to a queue that is there; makes nothing.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), and if there is no queue.
    pub async fn open(url: &str) -> Result<Self, QueueError> {
        Self::open_at(Place::of(url)?.into(), CONNECTIONS).await
    }

    /// Returns the database of this URL, for callers that only read, with at most so many
    /// connections: nothing is connected before the first question, and nothing is made.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn lazy(url: &str, connections: u32) -> Result<Self, QueueError> {
        Self::over(Place::of(url)?.into(), connections)
    }

    fn over(place: Arc<Place>, connections: u32) -> Result<Self, QueueError> {
        let renewal = Arc::<Renewal>::default();
        Ok(Self {
            pool: pool::pool(&place, connections, renewal.clone())?,
            renewal,
            dialect: place.dialect,
            place,
        })
    }

    async fn open_at(place: Arc<Place>, connections: u32) -> Result<Self, QueueError> {
        let queue = Self::over(place, connections)?;
        queue.place.check()?;
        queue.reach().await?;
        queue.check_tables().await?;
        Ok(queue)
    }

    /// Finds out at once, and from the server itself, if PostgreSQL cannot be connected with.
    async fn reach(&self) -> Result<(), QueueError> {
        match self.dialect {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => pool::probe(&self.place, RETRY_TIME).await,
        }
    }

    /// Lets SQLite's readers go on while one process writes. In a new file this is a change for
    /// which SQLite, other than for a transaction, does not wait until another process is done.
    async fn let_readers_go_on(&self) -> Result<(), QueueError> {
        let start = Instant::now();
        loop {
            let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL");
            let mode = mode.fetch_one(&mut *self.connection().await?).await;
            match mode.map_err(QueueError::from) {
                Err(error) if error.is_busy() && start.elapsed() < RETRY_TIME => {
                    tokio::time::sleep(BUSY).await;
                }
                mode => return mode.map(|_| ()),
            }
        }
    }

    /// Returns the same database through a connection of its own, for another runtime.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn connect_again(&self) -> Result<Self, QueueError> {
        Self::open_at(self.place.clone(), CONNECTIONS_OF_HEARTBEAT).await
    }

    /// Closes all connections; SQLite's file is then complete in itself.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Gives up the connections that there are: each is closed before it would be used again. To
    /// be called when one of them has failed in a way that may be its own.
    pub fn renew(&self) {
        self.renewal.renew();
    }

    /// Whether the database answers and takes writes. What it says of PostgreSQL is true for
    /// roles that may write, even if this one may not.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), QueueError> {
        let written = match self.dialect {
            Dialect::Sqlite => self.write_nothing_new().await,
            Dialect::Postgres => self.ask_for_writes().await,
        };
        written.map_err(|error| {
            self.renew();
            self.without_tables(error)
        })
    }

    /// Writes what is there already, which fails if the disk is full or the file read-only.
    async fn write_nothing_new(&self) -> Result<(), QueueError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE fleet SET version = version")
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn ask_for_writes(&self) -> Result<(), QueueError> {
        let select = "SELECT CASE WHEN current_setting('transaction_read_only') = 'off'
            AND NOT pg_is_in_recovery() THEN 1 ELSE 0 END FROM fleet";
        let takes_writes: i32 = sqlx::query_scalar(select)
            .fetch_one(&mut *self.connection().await?)
            .await?;
        match takes_writes {
            1 => Ok(()),
            _ => Err(QueueError::ReadOnly),
        }
    }

    /// A statement with the engine's own words for `@now` and the like. The text is a
    /// constant of this program: values go through `bind`.
    fn sql(&self, text: &'static str) -> SqlStr {
        let text = text
            .replace("@now", self.dialect.now())
            .replace("@skip_locked", self.dialect.skip_locked())
            .replace("@for_share", self.dialect.for_share());
        AssertSqlSafe(text).into_sql_str()
    }

    async fn begin(&self) -> Result<Tx, QueueError> {
        pool::begin(&self.pool, &self.place, self.dialect.begin()).await
    }

    /// A transaction that only reads, and sees one moment.
    async fn look(&self) -> Result<Tx, QueueError> {
        pool::begin(&self.pool, &self.place, self.dialect.look()).await
    }

    async fn connection(&self) -> Result<PoolConnection<Any>, QueueError> {
        pool::acquire(&self.pool, &self.place).await
    }
}
