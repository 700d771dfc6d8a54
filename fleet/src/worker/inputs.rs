//! What a job is made from: its place in the batch, its witness, the results of other jobs.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::collections::HashMap;
use std::sync::Arc;

use shardfold_aggregator::SettlementProof;
use shardfold_protocol::difference::extend_data;
use shardfold_protocol::field::F;
use shardfold_protocol::files;
use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;

use super::error::{JobError, on_a_thread};
use super::{Context, Event, Work};
use crate::differences::{self, MAX_DIFFERENCES_BYTES};
use crate::engine::{Engine, EngineError};
use crate::manifest::Manifest;
use crate::objects::{Folder, MAX_PART_BYTES, MAX_PROOF_BYTES, MAX_WITNESS_BYTES, ObjectName};
use crate::queue::model::Kind;
use crate::queue::{Child, Claimed, JobLease};

/// Results of one job that are looked at before it is done again.
const LOOKED_AT: usize = 4;
/// Manifests that a worker keeps at hand.
const MANIFESTS: usize = 4;

/// The manifests of the batches in work, each with the places of its jobs.
#[derive(Debug, Default)]
pub struct Manifests(Vec<(String, Arc<Planned>)>);

#[derive(Debug)]
pub struct Planned {
    pub manifest: Manifest,
    jobs: HashMap<String, (Kind, usize, usize)>,
}

/// The result of another job, not yet verified.
pub struct Part {
    pub child: Child,
    pub bytes: Vec<u8>,
    pub statement: Statement,
}

/// What is published of a batch.
pub struct Data {
    pub differences: Vec<F>,
    pub point: [u64; 2],
}

/// What the result of a job has to state.
#[derive(Clone, Copy)]
pub struct Expected {
    pub statement: Statement,
    /// Of a settlement proof.
    pub point: Option<[u64; 2]>,
}

impl Expected {
    /// Verifies the bytes of a result.
    pub fn check(&self, engine: &Engine, bytes: &[u8]) -> Result<(), EngineError> {
        let Some(point) = self.point else {
            return engine.decode(bytes, &self.statement).map(drop);
        };
        let proof = SettlementProof::from_bytes(bytes)?;
        engine.check_wrapped(&proof, &self.statement, point)
    }
}

impl Context {
    /// Returns the batch's manifest, in which the job is as the queue says.
    pub async fn plan(&self, claimed: &Claimed) -> Result<Arc<Planned>, JobError> {
        let plan = match self.known_plan(&claimed.batch) {
            Some(plan) => plan,
            None => self.fetch_plan(&claimed.batch).await?,
        };
        let expected = (claimed.kind, claimed.first, claimed.end);
        match plan.jobs.get(&claimed.job) {
            Some(known) if *known == expected => Ok(plan),
            _ => Err(JobError::NotOfManifest),
        }
    }

    fn known_plan(&self, batch: &str) -> Option<Arc<Planned>> {
        let manifests = self
            .manifests
            .lock()
            .unwrap_or_else(|error| error.into_inner());
        let known = manifests.0.iter().find(|(id, _)| id == batch);
        known.map(|(_, plan)| plan.clone())
    }

    async fn fetch_plan(&self, batch: &str) -> Result<Arc<Planned>, JobError> {
        let name: ObjectName = batch.parse()?;
        let get = || {
            self.objects
                .get(Folder::Manifest, name, Manifest::MAX_BYTES)
        };
        let manifest = Manifest::from_bytes(&self.store(get).await?)?;
        if manifest.circuits() != self.circuits {
            return Err(JobError::NotOfManifest);
        }
        let jobs = manifest.jobs(manifest.arity());
        let jobs = jobs
            .iter()
            .map(|job| (hex::encode(job.id), (job.kind, job.first, job.end)))
            .collect();
        let plan = Arc::new(Planned { manifest, jobs });
        let mut manifests = self
            .manifests
            .lock()
            .unwrap_or_else(|error| error.into_inner());
        manifests.0.insert(0, (batch.to_owned(), plan.clone()));
        manifests.0.truncate(MANIFESTS);
        Ok(plan)
    }

    /// Returns a valid result of the job that is in the store already: of a worker that was killed
    /// before it could hand it in, or of another batch with the same shard.
    pub async fn find(
        &self,
        claimed: &Claimed,
        expected: Expected,
    ) -> Result<Option<ObjectName>, JobError> {
        let folder = Folder::Part { job: &claimed.job };
        let names = self.store(|| self.objects.list(folder)).await?;
        for name in names.into_iter().take(LOOKED_AT) {
            let get = || self.objects.get(folder, name, MAX_PART_BYTES);
            let bytes = match self.store(get).await {
                Ok(bytes) => bytes,
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    self.tell_unusable(claimed, error.to_string());
                    continue;
                }
            };
            let engine = self.engine.clone();
            let check = move || expected.check(&engine, &bytes);
            match on_a_thread(check).await? {
                Ok(()) => return Ok(Some(name)),
                Err(error) => self.tell_unusable(claimed, error.to_string()),
            }
        }
        Ok(None)
    }

    fn tell_unusable(&self, claimed: &Claimed, reason: String) {
        let work = Work::from(claimed);
        self.tell(&Event::Unusable { work, reason });
    }

    pub async fn witness(
        &self,
        claimed: &Claimed,
        plan: &Planned,
        statement: &Statement,
    ) -> Result<Box<ShardWitness>, JobError> {
        let shard = plan.manifest.shards().get(claimed.first);
        let shard = shard.ok_or(JobError::NotOfManifest)?;
        let get = || {
            self.objects
                .get(Folder::Witness, shard.witness, MAX_WITNESS_BYTES)
        };
        let bytes = self.store(get).await?;
        let witness: ShardWitness = files::from_bytes(&bytes)?;
        if witness.statement != *statement || witness.shape != shard.shape {
            return Err(JobError::OtherShard);
        }
        Ok(Box::new(witness))
    }

    /// Returns what is published of the batch: differences that lead from its first head to its last.
    pub async fn data(&self, plan: &Planned, statement: &Statement) -> Result<Data, JobError> {
        let published = plan.manifest.published().ok_or(JobError::NotOfManifest)?;
        let name = published.differences;
        let get = || {
            self.objects
                .get(Folder::Witness, name, MAX_DIFFERENCES_BYTES)
        };
        let differences = differences::from_bytes(&self.store(get).await?)?;
        let (before, after) = (&statement.before, &statement.after);
        if extend_data(&before.data_commitment, &differences) != after.data_commitment {
            return Err(JobError::OtherDifferences);
        }
        let point = published.point();
        Ok(Data { differences, point })
    }

    /// Returns the results of the jobs that this one joins, each signed by a registered worker.
    /// The first that is not there or not signed is invalidated.
    pub async fn parts(
        &self,
        claimed: &Claimed,
        held: &JobLease,
        plan: &Planned,
    ) -> Result<Vec<Part>, JobError> {
        let children = || self.queue.children(&held.batch, &held.job);
        let children = self.database(children).await?;
        let missing = children.iter().filter(|child| child.result.is_none());
        if let missing @ 1.. = missing.count() {
            return Err(JobError::Missing(missing));
        }
        let mut parts = Vec::with_capacity(children.len());
        for child in &children {
            match self.part(claimed.kind, held, plan, child).await? {
                Ok(part) => parts.push(part),
                Err((is_false, reason)) => {
                    return Err(self.invalidate(held, child, is_false, reason).await);
                }
            }
        }
        let covered = (children.first(), children.last());
        match covered {
            (Some(first), Some(last))
                if (first.first, last.end) == (claimed.first, claimed.end) =>
            {
                Ok(parts)
            }
            _ => Err(JobError::NotOfManifest),
        }
    }

    /// The result of a child of a job of this kind, or whether it is false and why it cannot be used.
    async fn part(
        &self,
        kind: Kind,
        held: &JobLease,
        plan: &Planned,
        child: &Child,
    ) -> Result<Result<Part, (bool, Box<str>)>, JobError> {
        let result = child.result.as_deref().unwrap_or_default();
        let Ok(name) = result.parse::<ObjectName>() else {
            return Ok(Err((false, "the result's name is none".into())));
        };
        if !self
            .database(|| self.queue.is_signed(&held.batch, child))
            .await?
        {
            // Then it is unknown who has put it there.
            let reason = "the result is not signed by a registered worker".into();
            return Ok(Err((false, reason)));
        }
        let (folder, limit) = match kind {
            Kind::Wrap => (Folder::Proof, MAX_PROOF_BYTES),
            Kind::Shard | Kind::Aggregate | Kind::Finish => {
                (Folder::Part { job: &child.job }, MAX_PART_BYTES)
            }
        };
        let get = || self.objects.get(folder, name, limit);
        let bytes = match self.store(get).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_transient() => return Err(error.into()),
            // Who has spoilt the store is not known.
            Err(error) => return Ok(Err((false, error.to_string().into()))),
        };
        let statement = plan.manifest.statement(child.first, child.end);
        Ok(Ok(Part {
            child: child.clone(),
            bytes,
            statement: statement.ok_or(JobError::NotOfManifest)?,
        }))
    }
}
