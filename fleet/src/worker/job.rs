//! One job from its inputs to its accepted result.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shardfold_aggregator::{ProvenStatement, ValidityProof};
use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::ProveError;

use super::error::{JobError, on_a_thread};
use super::inputs::{Data, Expected, Part};
use super::{Context, Event, Work};
use crate::engine::{Engine, EngineError};
use crate::keys::Claim;
use crate::objects::{Folder, ObjectName};
use crate::queue::model::Kind;
use crate::queue::{Child, Claimed, Completion, CompletionOutcome, JobLease, QueueError};

/// How a job ended for the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// Its result is accepted, or another worker's.
    Done,
    /// It is given back, by no fault of the worker.
    GivenBack,
    /// The attempt went wrong.
    Failed,
}

/// What a job is made from.
enum Inputs {
    Shard(Box<ShardWitness>),
    Parts(Vec<Part>),
    Validity(Vec<Part>, Box<Data>),
}

/// What proving comes to.
enum JobResult {
    Proof(Vec<u8>),
    /// This child's proof is false.
    False {
        part: Box<Part>,
        reason: Box<str>,
    },
}

impl Context {
    /// Does a job, and says what became of it to the queue and to the observer.
    pub async fn run(self: Arc<Self>, claimed: Claimed) -> JobOutcome {
        let work = Work::from(&claimed);
        let held = JobLease::from(&claimed);
        self.tell(&Event::Started(work.clone()));
        let lost = self.registry.add(held.clone());
        let start = Instant::now();
        let outcome = self.clone().try_run(&claimed, &held, &lost).await;
        let ended = match outcome {
            Ok(proving) => {
                let found = proving.is_none();
                let took = proving.unwrap_or_else(|| start.elapsed());
                self.tell(&Event::Done { work, took, found });
                JobOutcome::Done
            }
            Err(error) => self.give_up(work, &held, &error).await,
        };
        self.registry.remove(&held);
        ended
    }

    async fn give_up(&self, work: Work, held: &JobLease, error: &JobError) -> JobOutcome {
        let reason = error.to_string();
        if matches!(
            error,
            JobError::Lost | JobError::Gone | JobError::Invalidated(_)
        ) {
            self.tell(&Event::GivenBack { work, reason });
            return JobOutcome::GivenBack;
        }
        if matches!(error, JobError::Queue(QueueError::Revoked { .. })) {
            let release = self.database(|| self.queue.release(held, &reason)).await;
            if let Err(error) = release {
                tracing::warn!(
                    job = held.job,
                    error = error.to_string(),
                    "could not give a job back"
                );
            }
            self.tell(&Event::GivenBack { work, reason });
            return JobOutcome::GivenBack;
        }
        // An unavailable store is not the job's fault: another worker may reach it.
        let counts = !matches!(error, JobError::Objects(error) if error.is_transient());
        if let Err(error) = self
            .database(|| self.queue.fail(held, &reason, counts))
            .await
        {
            tracing::warn!(
                job = held.job,
                error = error.to_string(),
                "could not say that a job failed"
            );
        }
        self.tell(&Event::Failed { work, reason });
        JobOutcome::Failed
    }

    /// How long proving took, or `None` if the result was found in the store.
    async fn try_run(
        self: Arc<Self>,
        claimed: &Claimed,
        held: &JobLease,
        lost: &Arc<AtomicBool>,
    ) -> Result<Option<Duration>, JobError> {
        let plan = self.plan(claimed).await?;
        let statement = plan
            .manifest
            .statement(claimed.first, claimed.end)
            .ok_or(JobError::NotOfManifest)?;
        let published = plan.manifest.published();
        let expected = Expected {
            statement,
            point: published
                .filter(|_| claimed.kind == Kind::Wrap)
                .map(|published| published.point()),
        };
        if claimed.kind != Kind::Finish
            && let Some(result) = self.find(claimed, expected).await?
        {
            self.hand_in(held, result, None).await?;
            return Ok(None);
        }
        let inputs = match claimed.kind {
            Kind::Shard => Inputs::Shard(self.witness(claimed, &plan, &statement).await?),
            Kind::Aggregate | Kind::Finish => {
                Inputs::Parts(self.parts(claimed, held, &plan).await?)
            }
            Kind::Wrap => {
                let parts = self.parts(claimed, held, &plan).await?;
                Inputs::Validity(parts, Box::new(self.data(&plan, &statement).await?))
            }
        };
        let start = Instant::now();
        let made = self.clone().make(claimed, inputs, statement, lost).await?;
        let took = Some(start.elapsed());
        let bytes = match made {
            JobResult::Proof(bytes) => bytes,
            JobResult::False { part, reason } => {
                return Err(self.invalidate(held, &part.child, true, reason).await);
            }
        };
        let folder = match claimed.kind {
            Kind::Finish => Folder::Proof,
            Kind::Shard | Kind::Aggregate | Kind::Wrap => Folder::Part { job: &held.job },
        };
        let result = self
            .store(|| self.objects.put(folder, bytes.clone()))
            .await?;
        match self.hand_in(held, result, took).await {
            Err(JobError::Gone) => self.tidy(held, folder, result).await?,
            handed_in => handed_in?,
        }
        Ok(took)
    }

    /// Removes a result that will not be asked for: its batch was deleted meanwhile.
    async fn tidy(
        &self,
        held: &JobLease,
        folder: Folder<'_>,
        result: ObjectName,
    ) -> Result<(), JobError> {
        // Perhaps by the same batch, submitted again.
        let shared = || self.queue.is_shared("", &held.job);
        if !self.database(shared).await? {
            self.store(|| self.objects.remove(folder, result)).await?;
        }
        Err(JobError::Gone)
    }

    /// Says that a result cannot be used, which gives this job back.
    pub async fn invalidate(
        &self,
        held: &JobLease,
        child: &Child,
        is_false: bool,
        reason: Box<str>,
    ) -> JobError {
        let invalidate = || self.queue.invalidate(held, child, is_false, &reason);
        match self.database(invalidate).await {
            Ok(()) => JobError::Invalidated(
                format!("the job {} is open again: {reason}", child.job).into(),
            ),
            Err(error) => error.into(),
        }
    }

    /// Proves, on a thread of its own.
    async fn make(
        self: Arc<Self>,
        claimed: &Claimed,
        inputs: Inputs,
        statement: Statement,
        lost: &Arc<AtomicBool>,
    ) -> Result<JobResult, JobError> {
        let (work, lost) = (Work::from(claimed), lost.clone());
        let make = move || match inputs {
            Inputs::Shard(witness) => self.prove(work, &witness, &lost),
            Inputs::Parts(parts) => join(&self.engine, work.kind, parts, &statement),
            Inputs::Validity(parts, data) => wrap(&self.engine, parts, &data, &statement),
        };
        on_a_thread(make).await?
    }

    fn prove(
        &self,
        work: Work,
        witness: &ShardWitness,
        lost: &AtomicBool,
    ) -> Result<JobResult, JobError> {
        let observe = |stage, took| {
            let work = work.clone();
            self.tell(&Event::Stage { work, stage, took });
            match lost.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        match self.engine.prove(witness, observe) {
            Ok(proven) => Ok(JobResult::Proof(proven.to_bytes())),
            Err(EngineError::Prove(ProveError::Stopped)) => Err(JobError::Lost),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs a result that is in the store, and hands it in.
    async fn hand_in(
        &self,
        held: &JobLease,
        result: ObjectName,
        took: Option<Duration>,
    ) -> Result<(), JobError> {
        let signature = self.key.sign(&Claim::Result {
            batch: &held.batch,
            job: &held.job,
            result,
        });
        let completion = Completion {
            held,
            instance: &self.instance,
            result,
            signature: &signature,
            took,
        };
        match self.database(|| self.queue.complete(&completion)).await? {
            CompletionOutcome::Accepted => Ok(()),
            CompletionOutcome::Late => Err(JobError::Lost),
            CompletionOutcome::Gone => Err(JobError::Gone),
        }
    }
}

/// Verifies the parts, and aggregations or finishes them.
fn join(
    engine: &Engine,
    kind: Kind,
    parts: Vec<Part>,
    statement: &Statement,
) -> Result<JobResult, JobError> {
    let mut proven: Vec<ProvenStatement> = Vec::with_capacity(parts.len());
    for part in parts {
        match engine.decode(&part.bytes, &part.statement) {
            Ok(decoded) => proven.push(decoded),
            Err(error) => {
                return Ok(JobResult::False {
                    part: Box::new(part),
                    reason: error.to_string().into(),
                });
            }
        }
    }
    match (kind, proven.as_slice()) {
        (Kind::Finish, [root]) => Ok(JobResult::Proof(engine.finish(root, statement)?.to_bytes())),
        (Kind::Aggregate, parts) => Ok(JobResult::Proof(engine.aggregate(parts)?.to_bytes())),
        _ => Err(JobError::NotOfManifest),
    }
}

/// Verifies the validity proof, and makes the settlement proof of it and of what is published.
fn wrap(
    engine: &Engine,
    parts: Vec<Part>,
    data: &Data,
    statement: &Statement,
) -> Result<JobResult, JobError> {
    let [part] = <[Part; 1]>::try_from(parts).map_err(|_| JobError::NotOfManifest)?;
    let proof = match validity(engine, &part, statement) {
        Ok(proof) => proof,
        Err(error) => {
            return Ok(JobResult::False {
                part: Box::new(part),
                reason: error.to_string().into(),
            });
        }
    };
    let wrapped = engine.wrap(&proof, &data.differences, data.point, statement)?;
    Ok(JobResult::Proof(wrapped.to_bytes()))
}

fn validity(
    engine: &Engine,
    part: &Part,
    statement: &Statement,
) -> Result<ValidityProof, EngineError> {
    let proof = ValidityProof::from_bytes(&part.bytes)?;
    engine.check_finished(&proof, statement)?;
    Ok(proof)
}
