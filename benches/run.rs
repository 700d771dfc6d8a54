//! Batches proven in one process, as the command line does it.

use std::path::PathBuf;

use anyhow::Context as _;
use shardfold_aggregator::{Aggregator, ValidityProof};
use shardfold_circuits::cache;
use shardfold_circuits::profile::Profile;
use shardfold_circuits::shard::CircuitSet;
use shardfold_fleet::local::{self, Event, Options};
use shardfold_protocol::witness::ShardWitness;

/// The circuits of a profile and its aggregator.
pub struct Pipeline {
    /// One circuit for each shape.
    pub circuits: CircuitSet,
    /// The fold.
    pub aggregator: Aggregator,
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
        let circuits = CircuitSet::new(profile, &cache);
        let aggregator = Aggregator::new(&profile.plonk(), circuits.fold()?)?;
        for witness in witnesses {
            circuits.stark(&witness.shape)?;
            circuits.shard(&witness.shape)?;
        }
        Ok(Self {
            circuits,
            aggregator,
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
        observer: &local::Observer<'_>,
    ) -> anyhow::Result<ValidityProof> {
        let folder = tempfile::tempdir()?;
        let options = Options {
            jobs,
            work_dir: PathBuf::from(folder.path()),
        };
        let (circuits, aggregator) = (&self.circuits, &self.aggregator);
        Ok(local::prove_batch(
            circuits, aggregator, witnesses, &options, observer,
        )?)
    }
}

/// An observer for whoever wants to hear nothing.
pub fn silent(_: Event) {}
