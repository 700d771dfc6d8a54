//! Threads, asked for before the work: where the system gives none, libraries panic or wait for
//! ever.

use std::env;
use std::ffi::OsStr;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

use crate::exit::usage;

/// The most threads: a slip of the finger must not bring the machine down.
pub const MAX_THREADS: usize = 1024;
/// Where rayon looks for the number of threads.
const VARIABLE: &str = "RAYON_NUM_THREADS";
/// Threads beside those that compute: readers of the state database, the queue's connections, the
/// store, leases, progress.
const HELPERS: usize = 24;
/// Threads that wait for queue and store.
const WAITING: usize = 2;

/// Makes sure that a command has its threads, and starts those that compute: as many as are asked
/// for, or else as RAYON_NUM_THREADS says, or else one for each core. Called once.
///
/// # Errors
/// Fails if the number is none or too large, or if fewer threads are available.
pub fn start(asked: Option<usize>) -> Result<()> {
    let count = match asked {
        Some(count) => count,
        None => from_environment(env::var_os(VARIABLE).as_deref())?.unwrap_or_else(cores),
    };
    let needed = count + HELPERS;
    probe(needed).with_context(|| {
        format!(
            "cannot start {needed} threads: let this process have more (ulimit -u, or the \
             container's limit of processes), or use fewer with --threads"
        )
    })?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build_global()
        .map_err(std::io::Error::other)
        .with_context(|| format!("cannot start {count} threads to compute with"))
}

/// Returns a runtime for queue and store.
///
/// # Errors
/// If the system refuses.
pub fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        // Never the number in the environment, of which the library makes a panic if it is none.
        .worker_threads(WAITING)
        .enable_all()
        .build()
        .context("cannot start the threads for queue and store")
}

fn cores() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS)
}

/// The number that the environment asks for, if it does; 0 leaves it open, as for rayon.
fn from_environment(value: Option<&OsStr>) -> Result<Option<usize>> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(0) => Ok(None),
        Some(count) if count <= MAX_THREADS => Ok(Some(count)),
        _ => Err(usage(format!(
            "found {VARIABLE}={}, expected a number from 1 to {MAX_THREADS}",
            value.display()
        ))),
    }
}

/// Has so many threads at the same time, for a moment.
fn probe(count: usize) -> std::io::Result<()> {
    thread::scope(|scope| {
        // Each thread waits until the senders are dropped: when all are there, or one is not.
        let mut gates = Vec::with_capacity(count);
        for _ in 0..count {
            let (gate, opened) = mpsc::channel::<()>();
            thread::Builder::new().spawn_scoped(scope, move || opened.recv().is_ok())?;
            gates.push(gate);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_has_a_number_of_threads_or_an_error() {
        let read = |text: &str| from_environment(Some(OsStr::new(text)));
        assert_eq!(from_environment(None).unwrap(), None);
        for (text, expected) in [
            ("", None),
            ("0", None),
            ("1", Some(1)),
            ("1024", Some(1024)),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for text in ["1025", "100000", "-1", "two", "99999999999999999999", "1.5"] {
            let error = read(text).unwrap_err().to_string();
            let expected = format!("found RAYON_NUM_THREADS={text}, expected");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn threads_that_are_there_are_found() {
        probe(8).unwrap();
    }
}
