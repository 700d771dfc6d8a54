//! What happens to a fleet, and that nothing is done on account of it that is not needed.

mod frozen;
mod kills;
mod liar;
mod liars;
mod long_run;
mod orderly;
mod outages;
mod poison;
mod shown;
mod tampered;
mod trust;
mod wrapped;
mod wrong;

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::Value;

use crate::fleet::harness::Fleet;
use crate::fleet::process::Process;

/// Transactions of a batch of four shards: seven proofs of parts, and the finish.
const FOUR_SHARDS: usize = 10;
/// Transactions of a batch of two shards: three proofs of parts, and the finish.
const TWO_SHARDS: usize = 5;

/// A worker's event with this message.
fn is(event: &Value, message: &str) -> bool {
    event["message"] == message
}

/// The end of a stage of proving a shard.
fn is_stage(event: &Value, stage: &str) -> bool {
    is(event, "stage done") && event["stage"] == stage
}

/// The text in a field.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The jobs of a batch as `status` shows them.
fn jobs(tree: &Value) -> &[Value] {
    tree["jobs"].as_array().expect("a list of jobs")
}

/// Whether so many jobs of a kind are done.
fn are_done(tree: &Value, kind: &str, count: usize) -> bool {
    let done = |job: &&Value| job["kind"] == kind && job["state"] == "done";
    jobs(tree).iter().filter(done).count() == count
}

/// What was done for a batch: how many attempts ended how.
type Outcomes = BTreeMap<String, usize>;

fn outcomes(fleet: &Fleet, batch: &str) -> Outcomes {
    let rows = fleet.postgres.query(&format!(
        "SELECT CASE reason WHEN 'the answer to the claim was lost' THEN 'unanswered'
             ELSE COALESCE(outcome, 'running') END, count(*) FROM attempts
         WHERE batch = '{batch}' GROUP BY 1"
    ));
    let row = |line: &str| {
        let (outcome, count) = line.split_once('|').expect("two fields");
        (outcome.to_owned(), count.parse().expect("a count"))
    };
    rows.lines().map(row).collect()
}

/// Asks workers to stop, those that were not killed, and waits for them.
fn stop(workers: &mut [Process]) {
    for worker in workers.iter_mut() {
        if !worker.has_ended() {
            worker.signal(Signal::TERM);
        }
    }
    for worker in workers {
        worker.wait();
    }
}

/// Any number of claims whose answer was lost with the connection, as when PostgreSQL stops just
/// then: nobody has worked.
const UNANSWERED: (&str, usize) = ("unanswered", 0);

/// Waits for the proof, fetches and verifies it, and checks that each job was done once, and
/// that beside these attempts there were exactly so many that ended otherwise. `workers` are
/// all that ever worked on the batch.
fn end(fleet: &Fleet, batch: &str, workers: &mut [Process], others: &[(&str, usize)]) {
    fleet.fetch_and_verify(batch);
    stop(workers);
    let tree = fleet.status(batch);
    let jobs = jobs(&tree);
    for job in jobs {
        assert_eq!(job["state"], "done", "{job}");
    }
    let mut expected = Outcomes::from([("done".to_owned(), jobs.len())]);
    expected.extend(
        others
            .iter()
            .map(|(outcome, count)| ((*outcome).to_owned(), *count)),
    );
    let mut found = outcomes(fleet, batch);
    if others.contains(&UNANSWERED) {
        expected.remove(UNANSWERED.0);
        found.remove(UNANSWERED.0);
    }
    assert_eq!(found, expected);
    for job in jobs {
        let done = done(workers, batch, text(&job["id"]));
        assert_eq!(done, 1, "the times that workers have done {job}");
    }
}

/// How many times a job was done, by the workers' logs.
fn done(workers: &[Process], batch: &str, job: &str) -> usize {
    let events = workers.iter().flat_map(Process::events);
    let done = events.filter(|event| is(event, "done"));
    done.filter(|event| event["batch"] == batch && event["job"] == job)
        .count()
}

/// How many times workers made the proof of a shard, or its first half.
fn times_proven(workers: &[Process], job: &str) -> usize {
    let events = workers.iter().flat_map(Process::events);
    let proven = events.filter(|event| is_stage(event, "stark") && event["job"] == job);
    proven.count()
}
