//! From a batch on its state to shards that can be proven.

use std::path::Path;
use std::time::Instant;

use crate::contracts;
use anyhow::{Context, Result, ensure};
use shardfold_executor::outcome::Outcome;
use shardfold_executor::{parallel, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::head::Head;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::witness::ShardWitness;
use shardfold_store::{BatchDigest, Counts};

use super::input::{Database, Ready};
use super::{Stages, counts};

/// A batch that was executed and cut.
pub struct ShardedBatch {
    /// What came of each transaction.
    pub outcome: Outcome,
    /// Its shards in order.
    pub shards: Vec<ShardWitness>,
    /// SHA-256 of the batch in its binary form.
    pub digest: BatchDigest,
    batch: Batch,
    state: State,
    database: Option<Database>,
}

impl ShardedBatch {
    /// Executes a batch and cuts it into shards of these shapes, timing it.
    pub fn new(path: &Path, ready: Ready, shapes: &[Shape], stages: &mut Stages) -> Result<Self> {
        let Ready {
            batch,
            mut state,
            database,
        } = ready;
        let before = Instant::now();
        let outcome = parallel::execute(contracts(), &state, &batch)
            .with_context(|| format!("{} cannot run on this state", path.display()))?;
        check_accepted(path, counts(&outcome))?;
        stages.insert("execute", before.elapsed().as_secs_f64());

        let before = Instant::now();
        let shards = shards::cut(contracts(), &mut state, &batch, &outcome, shapes)?;
        stages.insert("witnesses", before.elapsed().as_secs_f64());
        let digest = match &database {
            Some(database) => database.digest(),
            None => BatchDigest::of(&batch)?,
        };
        Ok(Self {
            outcome,
            shards,
            digest,
            batch,
            state,
            database,
        })
    }

    /// Returns the head after the batch.
    pub const fn after(&self) -> &Head {
        self.state.head()
    }

    /// Moves the state database on, if there is one: from then on the shards cannot be made
    /// again, so they are on disk before.
    pub fn apply(&mut self, stages: &mut Stages) -> Result<()> {
        if let Some(database) = &mut self.database {
            let before = Instant::now();
            database.apply(&self.batch, &self.outcome, &self.state)?;
            stages.insert("apply", before.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

/// A batch without valid transactions states nothing.
pub fn check_accepted(path: &Path, counts: Counts) -> Result<()> {
    ensure!(
        counts.accepted > 0,
        "{} has no valid transaction, so there is nothing to prove",
        path.display()
    );
    Ok(())
}
