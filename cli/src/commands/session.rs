//! What all batches of a run are proven with.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::contracts;
use anyhow::{Result, bail};
use shardfold_aggregator::{SettlementKey, VerificationKey};
use shardfold_fleet::engine::Engine;
use shardfold_prover::cache::{Listener, Progress};
use shardfold_prover::{CircuitSet, Lazy};
use shardfold_recursion::profile::Profile;
use tokio::runtime::Runtime;

use crate::args::CacheArgs;
use crate::commands::verify::built_in_keys;
use crate::commands::{cache_folder, settlement};
use crate::output::Printer;
use crate::progress::circuit_listener;
use crate::threads;

/// Circuits, loaded when they are first needed, and a runtime for queue and store.
pub struct Session {
    profile: Profile,
    cache: std::path::PathBuf,
    engine: Lazy<Arc<Engine>>,
    /// Whether a circuit was built, not loaded.
    built: Arc<AtomicBool>,
    /// There until the end.
    runtime: Option<Runtime>,
    printer: Printer,
}

impl Session {
    /// For a profile, with the circuits in a cache; nothing is loaded yet.
    pub fn new(profile: Profile, cache: &CacheArgs, printer: Printer) -> Result<Self> {
        Ok(Self {
            profile,
            cache: cache_folder(cache)?,
            engine: Lazy::new(),
            built: Arc::default(),
            runtime: Some(threads::runtime()?),
            printer,
        })
    }

    /// Returns the profile.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns where lines for people go.
    pub const fn printer(&self) -> Printer {
        self.printer
    }

    /// Returns the circuits, loaded when they are first asked for.
    pub fn engine(&self) -> Result<&Arc<Engine>> {
        self.engine.get_or_try(|| {
            let circuits = CircuitSet::new(contracts(), self.profile, &self.cache);
            let engine = Engine::new(circuits.with_listener(self.listener()))?;
            compare_key(engine.key())?;
            Ok(Arc::new(engine))
        })
    }

    /// Returns whether a circuit had to be built so far.
    pub fn has_built(&self) -> bool {
        self.built.load(Ordering::Relaxed)
    }

    /// Says what happens, and notes whether a circuit is built.
    fn listener(&self) -> Box<Listener> {
        let (told, built) = (circuit_listener(self.printer), self.built.clone());
        Box::new(move |name, progress| {
            told(name, progress);
            if let Progress::Building = progress {
                built.store(true, Ordering::Relaxed);
            }
        })
    }

    /// Returns the verification key: the built-in one, or else that of the circuits, which are
    /// loaded for it.
    pub fn key(&self) -> Result<VerificationKey> {
        let name = self.profile.name();
        let built_in = built_in_keys()?;
        match built_in.into_iter().find(|key| key.profile() == name) {
            Some(key) => Ok(key),
            None => Ok(self.engine()?.key().clone()),
        }
    }

    /// Returns the settlement key that stands upon [`key`](Self::key): the built-in one, or else that
    /// of the circuits, which are loaded for it.
    pub fn settlement_key(&self) -> Result<SettlementKey> {
        let name = self.profile.name();
        let mut built_in = settlement::built_in_keys()?.into_iter();
        match built_in.find(|key| key.profile().name() == name) {
            Some(key) => Ok(key),
            None => Ok(self.engine()?.settlement_key()?),
        }
    }

    /// Waits for queue or store.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        match &self.runtime {
            Some(runtime) => runtime.block_on(future),
            // Only `drop` takes it.
            None => unreachable!("the runtime is there until the end"),
        }
    }
}

impl Drop for Session {
    /// Does not wait for threads whose proofs are no longer wanted.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Fails if the circuits that this build makes are not those of its built-in key: after a
/// change to a circuit the keys are written anew with `shardfold key`.
fn compare_key(key: &VerificationKey) -> Result<()> {
    let built_in = built_in_keys()?;
    let same_profile = |known: &&VerificationKey| known.profile() == key.profile();
    if built_in
        .iter()
        .find(same_profile)
        .is_some_and(|known| known != key)
    {
        bail!(
            "the circuits' key is {}, not the built-in one of {}: no `verify` would accept their \
             proofs; after a change to a circuit write the built-in key anew, with `shardfold key`",
            hex::encode(key.id()),
            key.profile()
        );
    }
    Ok(())
}
