//! Proves batch after batch with the same circuits.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::{SettlementProof, ValidityProof, verify, verify_settlement};
use shardfold_fleet::embedded::Limits;
use shardfold_fleet::engine::Engine;
use shardfold_fleet::memory;
use shardfold_fleet::queue::model::{JobState, JobView, Kind};
use shardfold_fleet::worker::Event;
use shardfold_protocol::shape::Shape;
use shardfold_prover::{KEPT_CIRCUITS, SetError};
use shardfold_recursion::profile::Profile;
use shardfold_store::Applied;

use super::meter::Meter;
use super::plan::Plan;
use super::prepare::{Jobs, Task, Work};
use crate::commands::cost::breakdown::Breakdown;
use crate::commands::cost::predict::Spent;
use crate::commands::cost::print::{grouped, money};
use crate::commands::cost::rates::{self, Rates, Tally};
use crate::commands::session::Session;
use crate::commands::settlement::Changes;
use crate::commands::{Stages, Summary, counts, input, print_rejections};
use crate::exit::cannot;
use crate::output::{Output, read_file};
use crate::progress::Progress;

/// As of how many transactions a smaller batch counts where the rate of execution is told.
const TRANSACTIONS_OF_A_RATE: u64 = 1_000;

/// What batches are proven with.
pub struct Prover<'a> {
    session: &'a Session,
    memory: Option<u64>,
    /// US dollars for an hour of one core.
    price: f64,
}

impl<'a> Prover<'a> {
    /// Within the memory that is asked for, in bytes, or what the machine has now; an hour of one
    /// core costs so many US dollars.
    pub fn new(session: &'a Session, memory: Option<u64>, price: f64) -> Self {
        Self {
            session,
            memory: memory.or_else(memory::available),
            price,
        }
    }

    /// Proves a batch unless its proof is there already, and removes what was kept until then.
    pub fn finish(&self, task: Task) -> Result<()> {
        let start = Instant::now();
        let Task {
            plan,
            work,
            mut stages,
            seconds,
        } = task;
        let printer = self.session.printer();
        let elapsed = || seconds + start.elapsed().as_secs_f64();
        let (bytes, summary, breakdown) = match work {
            Work::Executed {
                outcome,
                after,
                breakdown,
                jobs,
                changes,
            } => {
                print_rejections(&outcome, printer);
                let bytes = self.prove(&plan, jobs, changes.as_ref(), &mut stages)?;
                let counts = counts(&outcome);
                let summary = Summary::new(counts, &after, elapsed(), stages);
                (bytes, summary, Some(breakdown))
            }
            Work::Applied {
                applied,
                jobs,
                changes,
            } => {
                input::print_applied(&plan.batch, &applied, printer);
                let proven = self.find_proof(&plan.output, &applied);
                let settled = self.find_settlement(&plan, changes.as_ref());
                let bytes = match (jobs, proven, settled) {
                    (jobs, Ok(bytes), Ok(())) => {
                        printer.line(format_args!("{} proves it", plan.output));
                        jobs.map_or(Ok(()), |jobs| self.delete(jobs))?;
                        bytes
                    }
                    (Some(jobs), ..) => self.prove(&plan, jobs, changes.as_ref(), &mut stages)?,
                    (None, Ok(_), Err(error)) => {
                        let name =
                            "make it of the validity proof and the changes with `shardfold wrap`";
                        return Err(error.context(name));
                    }
                    (None, Err(error), _) => return Err(error.context(no_witnesses(&plan))),
                };
                let summary = Summary::of_applied(&applied, elapsed(), stages);
                (bytes, summary, None)
            }
        };
        let cost = breakdown.map(|breakdown| self.cost(breakdown, &summary));
        self.report(&plan, bytes, &summary, cost)
    }

    fn cost(&self, breakdown: Breakdown, summary: &Summary) -> Cost {
        let threads = rayon::current_num_threads();
        let (seconds, transactions) = (summary.seconds, summary.transactions);
        Cost {
            breakdown,
            spent: Spent::new(seconds, threads, self.price, transactions),
        }
    }

    fn report(
        &self,
        plan: &Plan,
        bytes: usize,
        summary: &Summary,
        cost: Option<Cost>,
    ) -> Result<()> {
        let printer = self.session.printer();
        summary.print(printer);
        if let Some(cost) = &cost {
            printer.line(format_args!("{} cells", grouped(cost.breakdown.cells)));
            for line in money(&cost.spent) {
                printer.line(format_args!("{line}"));
            }
        }
        printer.line(format_args!("state root {}", summary.state_root));
        printer.line(format_args!(
            "{}: {bytes} bytes, profile {}, checked",
            plan.output,
            self.session.profile().name()
        ));
        printer.object(&Report {
            batch: plan.batch.display().to_string(),
            proof: plan.output.to_string(),
            settlement: plan.settlement.as_ref().map(ToString::to_string),
            summary,
            cost,
        })
    }

    /// Proves the jobs of a batch, writes its proofs, and removes what was kept until then.
    /// Gives the proof's length.
    fn prove(
        &self,
        plan: &Plan,
        jobs: Jobs,
        changes: Option<&Changes>,
        stages: &mut Stages,
    ) -> Result<usize> {
        let engine = self.session.engine()?;
        let tree = self.session.wait(jobs.fleet.tree(&jobs.batch))?;
        let progress = Arc::new(Progress::new(&tree, self.session.printer()));
        let meter = Arc::new(Meter::new(engine, &tree.jobs)?);
        let (shown, counted) = (progress.clone(), meter.clone());
        let observer = move |event: &Event| {
            counted.event(event);
            shown.event(event);
        };
        let limits = limits(engine.profile(), &tree.jobs, self.memory);
        let proving = jobs
            .fleet
            .prove(&jobs.batch, engine.clone(), limits, Box::new(observer));
        let before = Instant::now();
        let data = changes.and_then(Changes::mode);
        let proofs = thread::scope(|scope| {
            // The circuits of shards are loaded while the first STARK is proven; what is wrong with
            // them is said where they are used.
            scope.spawn(|| load_shapes(engine, &tree.jobs));
            self.session.wait(proving)
        });
        let passed = before.elapsed();
        progress.finish();
        let proofs = proofs?;
        let bytes = proofs.validity.to_bytes();
        stages.extend(meter.stages());
        plan.output.write(&bytes)?;
        if let (Some(output), Some(proof), Some(data)) = (&plan.settlement, proofs.settlement, data)
        {
            output.write(&proof.to_bytes())?;
            self.session.printer().line(format_args!(
                "{output}: {} bytes for the chain, data in {}, checked",
                proof.calldata().len(),
                data.name()
            ));
        }
        self.delete(jobs)?;
        if let Some(rates) = meter.rates(passed) {
            self.keep(rates, stages, tree.batch.transactions)?;
        }
        Ok(bytes.len())
    }

    /// Keeps the rates of a run for `shardfold cost`, unless it built circuits beside its work.
    fn keep(&self, rates: Rates, stages: &Stages, transactions: u64) -> Result<()> {
        if self.session.has_built() {
            return Ok(());
        }
        let seconds = |stage| stages.get(stage).copied();
        // Not if the batch was executed by an earlier run.
        let executed = seconds("execute").zip(seconds("witnesses"));
        let executed = executed.map_or_else(Tally::default, |(execute, witnesses)| Tally {
            // Some milliseconds are of the run, not of a transaction.
            amount: transactions.max(TRANSACTIONS_OF_A_RATE) as f64,
            seconds: execute + witnesses,
        });
        let waited = Tally {
            amount: 1.0,
            seconds: seconds("circuits").unwrap_or_default(),
        };
        let rates = Rates {
            execute: executed.rate(1.0),
            circuits: waited.rate(1.0),
            ..rates
        };
        let path = rates::path(self.session.engine()?.circuits());
        let threads = rayon::current_num_threads();
        rates::keep(&path, threads, rates, self.session.printer());
        Ok(())
    }

    /// Removes what was kept until the proof was on disk.
    fn delete(&self, jobs: Jobs) -> Result<()> {
        Ok(self.session.wait(jobs.fleet.delete(&jobs.batch))?)
    }

    /// Looks whether the settlement proof is there already, if one is asked for.
    fn find_settlement(&self, plan: &Plan, changes: Option<&Changes>) -> Result<()> {
        let expected = changes.and_then(Changes::settlement);
        let (Some(output), Some(expected)) = (&plan.settlement, expected) else {
            return Ok(());
        };
        let file = output.file().filter(|path| path.is_file());
        let file = file.ok_or_else(|| cannot("found no settlement proof"))?;
        let read = read_file(file, SettlementProof::MAX_BYTES)?;
        let proof = SettlementProof::from_bytes(&read)
            .with_context(|| format!("cannot use the proof {}", file.display()))?;
        let stated = verify_settlement(&self.session.settlement_key()?, &proof)
            .with_context(|| format!("{} does not verify", file.display()))?;
        ensure!(
            stated == expected,
            "{} is of another batch, or of data that are published elsewhere",
            file.display()
        );
        Ok(())
    }

    /// The length of an applied batch's proof, if it is there already.
    fn find_proof(&self, output: &Output, applied: &Applied) -> Result<usize> {
        let output = output.file().filter(|path| path.is_file());
        let output = output.ok_or_else(|| cannot("found no proof"))?;
        let bytes = read_file(output, ValidityProof::MAX_BYTES)?;
        let proof = ValidityProof::from_bytes(&bytes)
            .with_context(|| format!("cannot use the proof {}", output.display()))?;
        let statement = verify(self.session.engine()?.key(), &proof)
            .with_context(|| format!("{} does not verify", output.display()))?;
        ensure!(
            (statement.before, statement.after) == (applied.before, applied.after),
            "{} proves another batch",
            output.display()
        );
        Ok(bytes.len())
    }
}

/// What is printed of each batch for machines.
#[derive(Serialize)]
struct Report<'a> {
    batch: String,
    proof: String,
    /// The file of the settlement proof, if one was asked for.
    settlement: Option<String>,
    #[serde(flatten)]
    summary: &'a Summary,
    /// None if an earlier run has executed the batch: what its shards take is not known any more.
    cost: Option<Cost>,
}

/// What a proof took.
#[derive(Serialize)]
struct Cost {
    #[serde(flatten)]
    breakdown: Breakdown,
    #[serde(flatten)]
    spent: Spent,
}

fn no_witnesses(plan: &Plan) -> String {
    format!(
        "{} is part of the state's ledger, but its witnesses are not in {}: name the --work-dir \
         or the -o of the run that applied it, or prove it from a snapshot of the state before \
         it, with --state FILE",
        plan.batch.display(),
        plan.work_dir.display()
    )
}

/// Loads the circuits of the shards that are still to be proven, as many as are kept.
fn load_shapes(engine: &Engine, jobs: &[JobView]) -> Result<(), SetError> {
    let is_needed = |job: &&JobView| job.kind == Kind::Shard && job.state != JobState::Done;
    let needed = |shape: &&Shape| {
        let size = shape.transactions() as u64;
        jobs.iter().filter(is_needed).any(|job| job.size == size)
    };
    let shapes = engine.profile().shapes().iter();
    for shape in shapes.filter(needed).take(KEPT_CIRCUITS) {
        engine.circuits().shard(shape)?;
    }
    Ok(())
}

/// How many jobs fit into the memory at once, at most one for each core.
fn limits(profile: Profile, jobs: &[JobView], memory: Option<u64>) -> Limits {
    let circuits = memory::of_circuits(profile, &Kind::ALL);
    let largest = |jobs: &mut dyn Iterator<Item = &JobView>| {
        let memory = jobs.map(|job| job.memory).max();
        memory.unwrap_or(1).max(1)
    };
    let free = memory.map_or(0, |memory| memory.saturating_sub(circuits));
    // One job at a time may take what there is.
    let memory = free.max(largest(&mut jobs.iter()));
    // A settlement proof is made alone, after all others.
    let mut others = jobs.iter().filter(|job| job.kind != Kind::Wrap);
    let fit = usize::try_from(memory / largest(&mut others)).unwrap_or(usize::MAX);
    Limits {
        jobs: fit.min(rayon::current_num_threads()),
        memory,
    }
}
