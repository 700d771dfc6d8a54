//! A fleet as a simulation of discrete events: batches come, workers take jobs in the queue's
//! order, each job takes the seconds that were measured.
//!
//! The tree of jobs is the fleet's own ([`Manifest::jobs`]); the order in which jobs are taken is
//! the queue's: what brings a batch nearer to its end first, then the batch that came first, then
//! the first shard.
//! What it leaves out: failures, a machine's jobs slowing each other down (measure them as they run
//! side by side), and the network, which is part of a job's seconds as measured.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use anyhow::{Result, ensure};
use shardfold_fleet::manifest::{Job, Manifest};
use shardfold_fleet::queue::model::Kind;

/// Microseconds since the simulation began.
type Time = u64;

/// How long a job of each kind takes one worker, in seconds, from its claim to the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobSeconds {
    /// A shard.
    pub shard: f64,
    /// An aggregation.
    pub aggregate: f64,
    /// A last proof.
    pub finish: f64,
    /// A settlement proof, of batches that have one.
    pub wrap: f64,
}

impl JobSeconds {
    fn of(&self, kind: Kind) -> Time {
        let seconds = match kind {
            Kind::Shard => self.shard,
            Kind::Aggregate => self.aggregate,
            Kind::Finish => self.finish,
            Kind::Wrap => self.wrap,
        };
        (seconds * 1e6) as Time
    }
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Fleet<'a> {
    /// Workers, each with one job at a time.
    pub workers: usize,
    /// How long jobs take.
    pub seconds: JobSeconds,
    /// What each batch is made of.
    pub batch: &'a Manifest,
    /// How many proofs one aggregation joins.
    pub arity: usize,
    /// How many batches come.
    pub batches: usize,
    /// Seconds from one batch to the next.
    pub interval: f64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Seconds from a batch's coming to its last proof, in the order of the batches.
    pub latencies: Vec<f64>,
    /// Seconds from the first batch's coming to the end of the last.
    pub seconds: f64,
    /// The share of the workers' time in which they had a job.
    pub busy: f64,
    /// Jobs done.
    pub jobs: usize,
}

/// A job of one of the batches, in the order in which jobs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    rank: u8,
    batch: usize,
    first: usize,
    /// Its place in the batch's list.
    place: usize,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A batch comes.
    Batch(usize),
    /// A worker is done.
    Done(Ready),
}

/// The tree of a batch: for each job its kind, its parent's place, and how many children it has.
struct Tree {
    jobs: Vec<Job>,
    parents: Vec<Option<usize>>,
}

impl Tree {
    fn new(batch: &Manifest, arity: usize) -> Self {
        let jobs = batch.jobs(arity);
        let place = |id| jobs.iter().position(|job| Some(job.id) == id);
        let parents = jobs.iter().map(|job| place(job.parent)).collect();
        Self { jobs, parents }
    }

    fn ready(&self, batch: usize, place: usize) -> Ready {
        let job = &self.jobs[place];
        Ready {
            rank: match job.kind {
                Kind::Wrap => 0,
                Kind::Finish => 1,
                Kind::Aggregate => 2,
                Kind::Shard => 3,
            },
            batch,
            first: job.first,
            place,
        }
    }
}

/// Runs a fleet until all its batches are proven.
///
/// # Errors
/// If there is no worker or no batch.
pub fn run(fleet: &Fleet<'_>) -> Result<Run> {
    ensure!(fleet.workers > 0, "found no workers, expected one or more");
    ensure!(fleet.batches > 0, "found no batches, expected one or more");
    let tree = Tree::new(fleet.batch, fleet.arity);
    let arrival = |batch: usize| (batch as f64 * fleet.interval * 1e6) as Time;
    let mut events: BinaryHeap<Reverse<(Time, Event)>> = (0..fleet.batches)
        .map(|batch| Reverse((arrival(batch), Event::Batch(batch))))
        .collect();
    let mut missing: Vec<Vec<usize>> = (0..fleet.batches)
        .map(|_| tree.jobs.iter().map(|job| job.children).collect())
        .collect();
    let mut queue: BTreeSet<Ready> = BTreeSet::new();
    let mut latencies = vec![0.0; fleet.batches];
    let (mut free, mut busy, mut now) = (fleet.workers, 0, 0);
    while let Some(Reverse((time, event))) = events.pop() {
        now = time;
        match event {
            Event::Batch(batch) => {
                let leaves = tree.jobs.iter().enumerate();
                let leaves = leaves.filter(|(_, job)| job.children == 0);
                queue.extend(leaves.map(|(place, _)| tree.ready(batch, place)));
            }
            Event::Done(job) => {
                free += 1;
                match tree.parents[job.place] {
                    Some(parent) => {
                        let missing = &mut missing[job.batch][parent];
                        *missing -= 1;
                        if *missing == 0 {
                            queue.insert(tree.ready(job.batch, parent));
                        }
                    }
                    None => latencies[job.batch] = (time - arrival(job.batch)) as f64 / 1e6,
                }
            }
        }
        while free > 0
            && let Some(job) = queue.pop_first()
        {
            free -= 1;
            let takes = fleet.seconds.of(tree.jobs[job.place].kind);
            busy += takes;
            events.push(Reverse((now + takes, Event::Done(job))));
        }
    }
    Ok(Run {
        latencies,
        seconds: now as f64 / 1e6,
        busy: busy as f64 / (now.max(1) as f64 * fleet.workers as f64),
        jobs: tree.jobs.len() * fleet.batches,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outline::outline;
    use shardfold_fleet::manifest::Published;
    use shardfold_fleet::objects::ObjectName;

    const SECONDS: JobSeconds = JobSeconds {
        shard: 10.0,
        aggregate: 3.0,
        finish: 1.0,
        wrap: 5.0,
    };

    fn fleet(batch: &Manifest, workers: usize) -> Fleet<'_> {
        Fleet {
            workers,
            seconds: SECONDS,
            batch,
            arity: 2,
            batches: 1,
            interval: 0.0,
        }
    }

    /// Four shards, three aggregations, one finish, by one worker: all after one another.
    #[test]
    fn one_worker_takes_the_sum_of_all_jobs() {
        let batch = outline(4, 0).unwrap();
        let run = run(&fleet(&batch, 1)).unwrap();
        assert_eq!(run.seconds, 40.0 + 9.0 + 1.0);
        assert_eq!((run.jobs, run.busy), (8, 1.0));
    }

    /// Two workers: two rounds of shards, in which an aggregation goes first where it can, then the
    /// root and the finish alone.
    #[test]
    fn two_workers_wait_for_one_another_at_the_end() {
        let batch = outline(4, 0).unwrap();
        let run = run(&fleet(&batch, 2)).unwrap();
        // 0-10 shards 0, 1; 10-13 their aggregation, 10-20 shard 2; 13-23 shard 3; 23-26 the other
        // aggregation; 26-29 the root; 29-30 the finish.
        assert_eq!(run.seconds, 30.0);
    }

    #[test]
    fn more_workers_than_jobs_take_as_long_as_the_longest_path() {
        let batch = outline(4, 0).unwrap();
        let run = run(&fleet(&batch, 100)).unwrap();
        assert_eq!(run.seconds, 10.0 + 3.0 + 3.0 + 1.0);
    }

    /// A fleet that is too small for what comes falls behind, one that is large enough does not.
    #[test]
    fn latency_grows_only_where_work_comes_faster_than_it_is_done() {
        let batch = outline(4, 0).unwrap();
        let stream = |workers| {
            let fleet = Fleet {
                batches: 50,
                interval: 10.0,
                ..fleet(&batch, workers)
            };
            let latencies = run(&fleet).unwrap().latencies;
            (latencies[1], latencies[49])
        };
        // 50 seconds of work every 10.
        let (early, late) = stream(4);
        assert!(late > early + 50.0, "{early} {late}");
        let (early, late) = stream(7);
        assert!(late < early + 20.0, "{early} {late}");
    }

    #[test]
    fn a_settlement_proof_comes_last_where_there_is_one() {
        let name = ObjectName::of(b"differences");
        let plain = outline(4, 0).unwrap();
        let settled = plain
            .clone()
            .with_settlement(Published::new(name, [1, 2]))
            .unwrap();
        for (batch, jobs, seconds) in [(plain, 8, 50.0), (settled, 9, 55.0)] {
            let run = run(&fleet(&batch, 1)).unwrap();
            assert_eq!((run.jobs, run.seconds), (jobs, seconds));
        }
    }

    #[test]
    fn nothing_is_proven_by_nobody() {
        let batch = outline(1, 0).unwrap();
        assert!(run(&fleet(&batch, 0)).is_err());
    }
}
