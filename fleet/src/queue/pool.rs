//! The connections of one process. A connection may live and yet be wrong: it was opened while
//! the server took no writes, a rollback has left it in an unknown state, or a
//! transaction was left open in it. Such a one is closed before it is used again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor as _, Transaction};

use super::place::Place;
use super::{Dialect, QueueError};

/// How long one statement waits for a connection before the database counts as unavailable.
pub const RETRY_TIME: Duration = Duration::from_secs(5);
/// How long a connection may take that is to find out why the pool had none.
const PROBE: Duration = Duration::from_secs(2);

/// A process that is frozen or cut off in the middle of a transaction must not keep others from
/// its rows, nor a host that is gone keep this process waiting.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '15s';
    SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4";

/// A row if a session can be used: the server takes writes from it, and no transaction is open,
/// which would have begun before this statement. It must be sent as it is: a prepared statement
/// begins before it is executed.
const SOUND: &str = "SELECT 1 WHERE current_setting('transaction_read_only') = 'off'
    AND NOT pg_is_in_recovery() AND transaction_timestamp() = statement_timestamp()";

/// The moment before which all connections are given up.
#[derive(Debug, Default)]
pub struct Renewal(Mutex<Option<Instant>>);

impl Renewal {
    /// Gives up the connections that there are.
    pub fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age is given up.
    fn is_old(&self, age: Duration) -> bool {
        let renewed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was opened at the very moment is new: the error was heard of before.
        renewed.is_some_and(|renewed| renewed.elapsed() < age)
    }
}

/// Returns a pool of at most so many connections; none is opened before it is wanted.
///
/// # Errors
/// If the URL is none.
pub fn pool(place: &Place, connections: u32, renewal: Arc<Renewal>) -> Result<AnyPool, QueueError> {
    install_default_drivers();
    let dialect = place.dialect;
    let options = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(RETRY_TIME)
        // `is_sound` asks PostgreSQL.
        .test_before_acquire(!dialect.is_postgres())
        .after_connect(move |connection, _| Box::pin(set_up(connection, dialect)))
        .before_acquire(move |connection, meta| {
            let is_old = renewal.is_old(meta.age);
            Box::pin(async move { Ok(!is_old && is_sound(connection, dialect).await?) })
        });
    Ok(options.connect_lazy(&place.url)?)
}

async fn set_up(connection: &mut AnyConnection, dialect: Dialect) -> sqlx::Result<()> {
    if dialect.is_postgres() {
        connection.execute(SESSION).await?;
    }
    Ok(())
}

async fn is_sound(connection: &mut AnyConnection, dialect: Dialect) -> sqlx::Result<bool> {
    match dialect {
        Dialect::Postgres => Ok(connection.fetch_optional(SOUND).await?.is_some()),
        // SQLite rolls a transaction back by itself when the disk is full, of which sqlx hears
        // nothing: it would take the next one for a part of it, and refuses to begin it.
        Dialect::Sqlite => match connection.begin_with("BEGIN").await {
            Ok(transaction) => Ok(transaction.rollback().await.is_ok()),
            Err(_) => Ok(false),
        },
    }
}

/// Returns a connection of the pool.
///
/// # Errors
/// If there is none: the database's own reason.
pub async fn acquire(pool: &AnyPool, place: &Place) -> Result<PoolConnection<Any>, QueueError> {
    place.check()?;
    match pool.acquire().await {
        Err(sqlx::Error::PoolTimedOut) => Err(why_none(place).await),
        acquired => Ok(acquired?),
    }
}

/// Returns a transaction that this statement begins.
///
/// # Errors
/// Those of [`acquire`].
pub async fn begin(
    pool: &AnyPool,
    place: &Place,
    statement: &'static str,
) -> Result<Transaction<'static, Any>, QueueError> {
    place.check()?;
    match pool.begin_with(statement).await {
        Err(sqlx::Error::PoolTimedOut) => Err(why_none(place).await),
        begun => Ok(begun?),
    }
}

/// Connects beside the pool, which tries again and again and does not say why it fails.
///
/// # Errors
/// If the database is unavailable or refuses.
pub async fn probe(place: &Place, retry: Duration) -> Result<(), QueueError> {
    let connect = async {
        let mut connection = AnyConnection::connect(&place.url).await?;
        set_up(&mut connection, place.dialect).await?;
        connection.close().await
    };
    match tokio::time::timeout(retry, connect).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(QueueError::Silent),
    }
}

/// Why the pool has given no connection in time.
async fn why_none(place: &Place) -> QueueError {
    match probe(place, PROBE).await {
        Err(error) => error,
        Ok(()) => QueueError::Busy,
    }
}
