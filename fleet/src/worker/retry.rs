//! Waiting for a database or a store that is unavailable.

use std::future::Future;
use std::time::{Duration, Instant};

use super::{Context, Event, Options};
use crate::objects::ObjectsError;
use crate::queue::QueueError;

/// The pauses between attempts: they grow from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A database that has not answered for so long is unavailable.
const ANSWER: Duration = Duration::from_secs(60);

/// How long a worker waits.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    database: Option<Duration>,
    store: Option<Duration>,
}

impl RetryPolicy {
    pub const fn new(options: &Options) -> Self {
        Self {
            database: options.database_retry,
            store: Some(options.store_retry),
        }
    }
}

impl Context {
    /// Returns the answer of the database, however long it is unavailable if the worker is of a
    /// fleet: without it no worker can do anything.
    pub async fn database<T, F: Future<Output = Result<T, QueueError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, QueueError> {
        let most = self.retry.database;
        // A host that is gone without a word would keep the question for ever.
        let ask = || async {
            let answer = tokio::time::timeout(ANSWER, ask()).await;
            let answer = answer.unwrap_or(Err(QueueError::Silent));
            if answer.as_ref().is_err_and(QueueError::is_transient) {
                // Perhaps it is the connection's fault, and another one would do.
                self.queue.renew();
            }
            answer
        };
        self.wait_for(ask, QueueError::is_transient, most).await
    }

    /// Returns the answer of the store, if it comes back within the time for which the worker
    /// retries.
    pub async fn store<T, F: Future<Output = Result<T, ObjectsError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, ObjectsError> {
        let most = self.retry.store;
        self.wait_for(ask, ObjectsError::is_transient, most).await
    }

    async fn wait_for<T, E: std::error::Error, F: Future<Output = Result<T, E>>>(
        &self,
        ask: impl Fn() -> F,
        is_transient: fn(&E) -> bool,
        most: Option<Duration>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            let error = match ask().await {
                Err(error) if is_transient(&error) => error,
                answer => return answer,
            };
            if most.is_some_and(|most| start.elapsed() > most) {
                return Err(error);
            }
            if !is_told {
                let reason = error.to_string();
                self.tell(&Event::Waiting { reason });
                is_told = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
