//! Many kills at random times.

use std::thread::sleep;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use super::{end, jobs, outcomes};
use crate::fleet::harness::Fleet;
use crate::fleet::process::Process;
use crate::fleet::time::{is_full, kills};

/// Workers at a time.
const WORKERS: usize = 3;
/// The longest pause between two kills, in milliseconds.
const LONGEST_PAUSE: u64 = 1_000;
/// A job that was lost so often is left alone: five times would dead-letter it.
const MOST_LOSSES: u64 = 3;

#[test]
fn killed_workers_lose_what_they_have_at_hand_and_nothing_else() {
    // All that the trace has: more than there is time for between the kills.
    let transactions = if is_full() { 107 } else { 30 };
    let fleet = Fleet::new(transactions);
    let batch = fleet.submit();
    let seed = rand::random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let names = ["a", "b", "c"];
    for name in names {
        fleet.register(name);
    }
    let start = |name: &str| Process::start(name, fleet.worker_command(name, fleet.ports()));
    let mut living: [Process; WORKERS] = names.map(start);
    let mut dead = Vec::new();
    while dead.len() < kills() {
        sleep(Duration::from_millis(random.random_range(0..LONGEST_PAUSE)));
        let place = random.random_range(0..WORKERS);
        let tree = fleet.status(&batch);
        assert_eq!(tree["batch"]["state"], "open", "{} kills only", dead.len());
        if is_near_its_end(&tree, names[place]) {
            continue;
        }
        living[place].kill();
        let next = start(names[place]);
        dead.push(std::mem::replace(&mut living[place], next));
    }
    let killed = dead.len();
    let mut workers: Vec<Process> = living.into_iter().chain(dead).collect();
    fleet.fetch_and_verify(&batch);
    let lost = outcomes_lost(&fleet, &batch);
    eprintln!("{killed} kills, {lost} attempts lost");
    assert!(lost <= killed);
    end(&fleet, &batch, &mut workers, &[("lost", lost)]);
}

fn outcomes_lost(fleet: &Fleet, batch: &str) -> usize {
    outcomes(fleet, batch).get("lost").copied().unwrap_or(0)
}

/// Whether a worker holds a job that must not be lost again.
fn is_near_its_end(tree: &Value, worker: &str) -> bool {
    let holder = format!("{worker}-");
    jobs(tree).iter().any(|job| {
        let instance = job["instance"].as_str().unwrap_or_default();
        job["state"] == "running"
            && instance.starts_with(&holder)
            && job["failures"].as_u64() >= Some(MOST_LOSSES)
    })
}
