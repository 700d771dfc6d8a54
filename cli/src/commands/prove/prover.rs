//! Proves batch after batch with the same circuits.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use shardfold_aggregator::{ValidityProof, verify};
use shardfold_fleet::embedded::Limits;
use shardfold_fleet::engine::Engine;
use shardfold_fleet::memory;
use shardfold_fleet::queue::model::{JobState, JobView, Kind};
use shardfold_fleet::worker::Event;
use shardfold_prover::SetError;
use shardfold_recursion::profile::Profile;
use shardfold_store::Applied;

use super::plan::Plan;
use super::prepare::{Jobs, Task, Work};
use crate::commands::session::Session;
use crate::commands::{Stages, Summary, counts, input, print_rejections};
use crate::exit::cannot;
use crate::output::{Output, read_file};
use crate::progress::Progress;

/// Seconds by stage, counted from any thread.
type Times = Arc<Mutex<Stages>>;

/// What batches are proven with.
pub struct Prover<'a> {
    session: &'a Session,
    memory: Option<u64>,
}

impl<'a> Prover<'a> {
    /// Within the memory that is asked for, in bytes, or what the machine has now.
    pub fn new(session: &'a Session, memory: Option<u64>) -> Self {
        let memory = memory.or_else(memory::available);
        Self { session, memory }
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
        let (bytes, summary) = match work {
            Work::Executed {
                outcome,
                after,
                jobs,
            } => {
                print_rejections(&outcome, printer);
                let bytes = self.prove(&plan, jobs, &mut stages)?;
                let counts = counts(&outcome);
                (bytes, Summary::new(counts, &after, elapsed(), stages))
            }
            Work::Applied { applied, jobs } => {
                input::print_applied(&plan.batch, &applied, printer);
                let proven = self.find_proof(&plan.output, &applied);
                let bytes = match (jobs, proven) {
                    (Some(jobs), Err(_)) => self.prove(&plan, jobs, &mut stages)?,
                    (jobs, proven) => {
                        let bytes = proven.with_context(|| no_witnesses(&plan))?;
                        printer.line(format_args!("{} proves it", plan.output));
                        jobs.map_or(Ok(()), |jobs| self.delete(jobs))?;
                        bytes
                    }
                };
                (bytes, Summary::of_applied(&applied, elapsed(), stages))
            }
        };
        self.report(&plan, bytes, &summary)
    }

    fn report(&self, plan: &Plan, bytes: usize, summary: &Summary) -> Result<()> {
        let printer = self.session.printer();
        summary.print(printer);
        printer.line(format_args!("state root {}", summary.state_root));
        printer.line(format_args!(
            "{}: {bytes} bytes, profile {}, checked",
            plan.output,
            self.session.profile().name()
        ));
        printer.object(&Report {
            batch: plan.batch.display().to_string(),
            proof: plan.output.to_string(),
            summary,
        })
    }

    /// Proves the jobs of a batch, writes the proof, and removes what was kept until then.
    /// Gives the proof's length.
    fn prove(&self, plan: &Plan, jobs: Jobs, stages: &mut Stages) -> Result<usize> {
        let engine = self.session.engine()?;
        let tree = self.session.wait(jobs.fleet.tree(&jobs.batch))?;
        let progress = Arc::new(Progress::new(&tree, self.session.printer()));
        let times = Times::default();
        let (shown, counted) = (progress.clone(), times.clone());
        let observer = move |event: &Event| {
            count_time(event, &counted);
            shown.event(event);
        };
        let limits = limits(engine.profile(), &tree.jobs, self.memory);
        let proving = jobs
            .fleet
            .prove(&jobs.batch, engine.clone(), limits, Box::new(observer));
        let proof = thread::scope(|scope| {
            // The circuits of shards are loaded while the first STARK is proven; what is wrong with
            // them is said where they are used.
            scope.spawn(|| load_shapes(engine, &tree.jobs));
            self.session.wait(proving)
        });
        progress.finish();
        let bytes = proof?.to_bytes();
        let times = times.lock().unwrap_or_else(|error| error.into_inner());
        stages.extend(times.iter());
        plan.output.write(&bytes)?;
        self.delete(jobs)?;
        Ok(bytes.len())
    }

    /// Removes what was kept until the proof was on disk.
    fn delete(&self, jobs: Jobs) -> Result<()> {
        Ok(self.session.wait(jobs.fleet.delete(&jobs.batch))?)
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
    #[serde(flatten)]
    summary: &'a Summary,
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

/// Loads the circuits of the shards that are still to be proven.
fn load_shapes(engine: &Engine, jobs: &[JobView]) -> Result<(), SetError> {
    for shape in engine.profile().shapes() {
        let size = shape.transactions() as u64;
        let is_needed = |job: &&JobView| job.kind == Kind::Shard && job.state != JobState::Done;
        if jobs.iter().filter(is_needed).any(|job| job.size == size) {
            engine.circuits().shard(shape)?;
        }
    }
    Ok(())
}

/// How many jobs fit into the memory at once, at most one for each core.
fn limits(profile: Profile, jobs: &[JobView], memory: Option<u64>) -> Limits {
    let circuits = memory::of_circuits(profile, &Kind::ALL);
    let largest = jobs.iter().map(|job| job.memory).max().unwrap_or(1).max(1);
    let free = memory.map_or(0, |memory| memory.saturating_sub(circuits));
    // One job at a time may take what there is.
    let memory = free.max(largest);
    let fit = usize::try_from(memory / largest).unwrap_or(usize::MAX);
    Limits {
        jobs: fit.min(rayon::current_num_threads()),
        memory,
    }
}

fn count_time(event: &Event, times: &Times) {
    let (name, took) = match event {
        Event::Stage { stage, took, .. } => (stage.name(), took),
        Event::Done { work, took, .. } if work.kind == Kind::Aggregate => ("aggregate", took),
        Event::Done { work, took, .. } if work.kind == Kind::Finish => ("finish", took),
        _ => return,
    };
    let mut times = times.lock().unwrap_or_else(|error| error.into_inner());
    *times.entry(name).or_default() += took.as_secs_f64();
}
