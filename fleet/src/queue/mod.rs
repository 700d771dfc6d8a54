//! The queue: which jobs there are, and who holds them.
//!
//! One SQL for two engines: SQLite in one file, for one machine, and PostgreSQL for a fleet.
//! The queue holds names and states, never proofs. Every change is one transaction, and every
//! time is the database's, so that workers' clocks do not matter.

mod claim;
mod complete;
mod enrol;
mod error;
mod lease;
mod look;
mod measures;
mod operate;
mod rows;
mod schema;
mod submit;
#[cfg(test)]
mod tests;
pub mod view;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyPool, AssertSqlSafe, Executor as _, SqlSafeStr as _, SqlStr, Transaction};

pub use claim::{Child, Claimed, Held, Hello, Wanted};
pub use complete::{Delivery, Done};
pub use error::QueueError;
pub use lease::Lease;
pub use look::Explained;
pub use submit::{Submission, Submitted};

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
            found => Err(QueueError::Url {
                found: found.into(),
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

    /// What takes rows that nobody else is taking. SQLite has one writer at a time.
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
    url: Arc<str>,
    pool: AnyPool,
    dialect: Dialect,
}

/// How long one statement waits for a connection before the database counts as away.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before SQLite is asked again for what it does not wait for by itself.
const BUSY: Duration = Duration::from_millis(5);
/// A process that is frozen or cut off in the middle of a transaction must not keep others from
/// its rows, nor a host that is gone keep this process waiting.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '15s';
    SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4";
/// Connections of one process, and of its thread that keeps the leases.
const CONNECTIONS: u32 = 4;
const CONNECTIONS_OF_HEARTBEAT: u32 = 1;

impl Queue {
    /// Connects to `sqlite://PATH` or `postgres://...`, and makes the tables if there are none.
    ///
    /// # Errors
    /// If the database is away (see [`QueueError::is_transient`]) or is of another version.
    pub async fn connect(url: &str) -> Result<Self, QueueError> {
        Self::connect_with(url, CONNECTIONS).await
    }

    /// The database of this URL, for whoever only looks, with at most so many connections:
    /// nothing is connected before the first question, and no tables are made.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn lazy(url: &str, connections: u32) -> Result<Self, QueueError> {
        Self::over(url, connections)
    }

    fn over(url: &str, connections: u32) -> Result<Self, QueueError> {
        install_default_drivers();
        let dialect = Dialect::of(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if dialect.is_postgres() {
                        connection.execute(SESSION).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy(&with_options(url, dialect))?;
        Ok(Self {
            url: url.into(),
            pool,
            dialect,
        })
    }

    async fn connect_with(url: &str, connections: u32) -> Result<Self, QueueError> {
        let queue = Self::over(url, connections)?;
        if !queue.dialect.is_postgres() {
            queue.let_readers_go_on().await?;
        }
        queue.create_tables().await?;
        Ok(queue)
    }

    /// Lets SQLite's readers go on while one process writes. In a new file this is a change for
    /// which SQLite, other than for a transaction, does not wait until another process is done.
    async fn let_readers_go_on(&self) -> Result<(), QueueError> {
        let start = Instant::now();
        loop {
            let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL");
            match mode.fetch_one(&self.pool).await.map_err(QueueError::from) {
                Err(error) if error.is_busy() && start.elapsed() < PATIENCE => {
                    tokio::time::sleep(BUSY).await;
                }
                mode => return mode.map(|_| ()),
            }
        }
    }

    /// The same database through a connection of its own, for another runtime.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub async fn connect_again(&self) -> Result<Self, QueueError> {
        Self::connect_with(&self.url, CONNECTIONS_OF_HEARTBEAT).await
    }

    /// Closes all connections; SQLite's file is then complete in itself.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), QueueError> {
        sqlx::query("SELECT version FROM fleet")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
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
        Ok(self.pool.begin_with(self.dialect.begin()).await?)
    }
}

/// SQLite's file is made if it is not there.
fn with_options(url: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
        _ => url.to_owned(),
    }
}
