//! Batches proven in one process, as the command line does it.

use std::sync::Arc;

use anyhow::Context as _;
use shardfold_aggregator::ValidityProof;
use shardfold_contracts::set::standard;
use shardfold_fleet::embedded::{Embedded, Limits};
use shardfold_fleet::engine::Engine;
use shardfold_fleet::submit::{Executed, MAX_FAILURES};
use shardfold_fleet::worker::{Event, Observer};
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::CircuitSet;
use shardfold_prover::cache;
use shardfold_recursion::profile::Profile;
use tokio::runtime::Runtime;

/// The circuits of a profile, and a runtime for queue and store.
pub struct Pipeline {
    /// One circuit for each shape, and the aggregation.
    pub engine: Arc<Engine>,
    runtime: Runtime,
}

impl Pipeline {
    /// Loads the circuits that these shards need from the command line's cache, or builds and
    /// keeps them there, so that none is built while something is measured.
    ///
    /// # Errors
    /// If there is no place for a cache, or a circuit cannot be built.
    pub fn load(profile: Profile, witnesses: &[ShardWitness]) -> anyhow::Result<Self> {
        let cache =
            cache::default_root().context("there is no home folder: set SHARDFOLD_CACHE")?;
        let engine = Engine::new(CircuitSet::new(standard(), profile, &cache))?;
        for witness in witnesses {
            engine.circuits().stark(&witness.shape)?;
            engine.circuits().shard(&witness.shape)?;
        }
        Ok(Self {
            engine: Arc::new(engine),
            runtime: Runtime::new()?,
        })
    }

    /// Proves shards that follow one another, nothing kept from earlier runs.
    ///
    /// # Errors
    /// If they cannot be proven.
    pub fn prove(
        &self,
        witnesses: &[ShardWitness],
        jobs: usize,
        observer: Box<Observer>,
    ) -> anyhow::Result<ValidityProof> {
        let folder = tempfile::tempdir()?;
        let batch = Executed {
            profile: self.engine.profile(),
            circuits: self.engine.key().id(),
            source: "",
            label: "bench",
            shards: witnesses,
            data: None,
            max_failures: MAX_FAILURES,
        };
        let limits = Limits {
            jobs,
            memory: u64::MAX,
        };
        self.runtime.block_on(async {
            let fleet = Embedded::open(folder.path(), |_| {}).await?;
            let id = fleet.submit(&batch).await?;
            let proofs = fleet
                .prove(&id, self.engine.clone(), limits, observer)
                .await?;
            Ok(proofs.validity)
        })
    }
}

/// An observer that ignores all events.
pub fn silent(_: &Event) {}
