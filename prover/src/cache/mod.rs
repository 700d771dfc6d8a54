//! Circuits on disk, so that a process need not build them again.
//!
//! A [`CircuitCache`] is a folder named by the [`Fingerprint`] of everything that determines
//! its circuits. What cannot be read, is stale, torn or altered is reported, built anew and
//! replaced: the cache can make a process slower, never wrong.

#[cfg(test)]
mod code;
mod file;
mod prune;

#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use file::FileError;
pub use prune::{Pruned, prune};

use shardfold_recursion::plonk::PlonkParameters;
use shardfold_recursion::serializers::Cached;

/// SHA-256 over everything that determines a set of circuits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of circuits with these parameters and whatever else the caller's
    /// code depends on (shape heights, STARK parameters, degree), each part in any fixed encoding.
    ///
    /// The code of the chips and of all circuits, without its comments and tests, and the
    /// versions of the proving libraries are in it without being named.
    #[must_use]
    pub fn new(parameters: &PlonkParameters, parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(env!("CARGO_PKG_VERSION").as_bytes());
        add(env!("SHARDFOLD_CODE_DIGEST").as_bytes());
        add(&file::VERSION.to_le_bytes());
        add(format!("{parameters:?}").as_bytes());
        for part in parts {
            add(part);
        }
        Self(digest.finalize().into())
    }
}

/// What a cache is doing; building takes seconds to minutes.
#[derive(Debug)]
pub enum Progress {
    /// The circuit was read from disk.
    Loaded(Duration),
    /// The file on disk cannot be used, for this reason.
    Unusable(FileError),
    /// The circuit is being built.
    Building,
    /// The circuit was built.
    Built(Duration),
    /// The circuit was written to disk.
    Stored(Duration),
    /// The circuit is usable, but was not written to disk.
    NotStored(StoreError),
}

/// Why a circuit was not written to disk.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A gate or generator is missing in [`shardfold_recursion::serializers`].
    #[error("the circuit has a gate or generator that the serializers do not list")]
    Unlisted,
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Who hears of progress: the circuit's name and what happens to it.
pub type Listener = dyn Fn(&str, &Progress) + Send + Sync;

/// A folder of circuits with one fingerprint.
pub struct CircuitCache {
    folder: PathBuf,
    fingerprint: Fingerprint,
    listener: Box<Listener>,
}

impl CircuitCache {
    /// Returns the circuits of this fingerprint below `root`; nothing is read or made yet.
    #[must_use]
    pub fn new(root: &Path, fingerprint: Fingerprint) -> Self {
        let (name, _) = fingerprint.0.split_at(16);
        Self {
            folder: root.join(hex::encode(name)),
            fingerprint,
            listener: Box::new(|name, progress| tracing::info!(circuit = name, ?progress)),
        }
    }

    /// Reports progress to `listener` instead of as `tracing` events.
    #[must_use]
    pub fn with_listener(mut self, listener: Box<Listener>) -> Self {
        self.listener = listener;
        self
    }

    /// Returns where the circuit of this name is kept.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.circuit"))
    }

    /// Returns the circuit of this name (a plain file name) from disk, or built and then stored.
    ///
    /// # Errors
    /// Only those of `build`: a cache that cannot be read or written is reported and passed by.
    pub fn load_or_build<T: Cached, E>(
        &self,
        name: &str,
        build: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let report = |progress: Progress| (self.listener)(name, &progress);
        let start = Instant::now();
        match self.load(name) {
            Ok(circuit) => {
                report(Progress::Loaded(start.elapsed()));
                return Ok(circuit);
            }
            Err(FileError::Absent) => {}
            Err(reason) => report(Progress::Unusable(reason)),
        }
        report(Progress::Building);
        let start = Instant::now();
        let circuit = build()?;
        report(Progress::Built(start.elapsed()));
        let start = Instant::now();
        report(match self.store(name, &circuit) {
            Ok(()) => Progress::Stored(start.elapsed()),
            Err(error) => Progress::NotStored(error),
        });
        Ok(circuit)
    }

    /// Returns the circuit of this name, if its file is whole, current, and holds the recorded
    /// circuit.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn load<T: Cached>(&self, name: &str) -> Result<T, FileError> {
        let content = file::read(&self.path(name), &self.fingerprint)?;
        // The payload is what this very code wrote, so it decodes; should plonky2 panic all
        // the same, that is one more unusable file.
        let circuit = catch_unwind(AssertUnwindSafe(|| T::from_bytes(&content.payload)))
            .ok()
            .flatten()
            .ok_or(FileError::Decode)?;
        match circuit.digest() {
            Some(digest) if digest == content.digest => Ok(circuit),
            _ => Err(FileError::Digest),
        }
    }

    /// Writes the circuit under this name.
    ///
    /// # Errors
    /// If the circuit cannot be encoded or the file not be written.
    pub fn store<T: Cached>(&self, name: &str, circuit: &T) -> Result<(), StoreError> {
        let payload = circuit.to_bytes().ok_or(StoreError::Unlisted)?;
        let digest = circuit.digest().ok_or(StoreError::Unlisted)?;
        Ok(file::write(
            &self.path(name),
            &self.fingerprint,
            &digest,
            &payload,
        )?)
    }
}

/// Returns the default root of all caches: `$SHARDFOLD_CACHE`, else `$XDG_CACHE_HOME/shardfold`,
/// else `~/.cache/shardfold`; `None` if the environment names no home.
#[must_use]
pub fn default_root() -> Option<PathBuf> {
    root_from(|name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    })
}

fn root_from(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable("SHARDFOLD_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|home| home.join("shardfold")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/shardfold")))
}
