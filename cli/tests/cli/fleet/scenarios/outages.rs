//! The database, the store or a disk is away for a while.

use std::thread::sleep;

use rustix::process::Signal;
use serde_json::Value;

use super::{FOUR_SHARDS, UNANSWERED, end, is, is_stage, jobs, outcomes, text};
use crate::fleet::disk::with_full_disk;
use crate::fleet::gate::Gate;
use crate::fleet::harness::{Fleet, Ports};
use crate::fleet::postgres::Stop;
use crate::fleet::process::Process;
use crate::fleet::time::outage;

/// A fleet with one batch and two workers, each with a job at hand.
fn busy(ports: impl FnOnce(&Fleet) -> Ports) -> (Fleet, String, [Process; 2]) {
    busy_with(ports, Fleet::worker)
}

/// The same with workers that are started so.
fn busy_with(
    ports: impl FnOnce(&Fleet) -> Ports,
    start: impl Fn(&Fleet, &str, Ports) -> Process,
) -> (Fleet, String, [Process; 2]) {
    let fleet = Fleet::new(FOUR_SHARDS);
    let batch = fleet.submit();
    let ports = ports(&fleet);
    let mut workers = ["first", "second"].map(|name| start(&fleet, name, ports));
    for worker in &mut workers {
        worker.wait_for_event("a job", |event| is(event, "started"));
    }
    (fleet, batch, workers)
}

fn wait_until_they_wait(workers: &mut [Process]) {
    for worker in workers {
        worker.wait_for_event("waiting", |event| is(event, "waiting"));
    }
}

/// How many jobs are done.
fn done(tree: &Value) -> usize {
    let done = jobs(tree).iter().filter(|job| job["state"] == "done");
    done.count()
}

#[test]
fn workers_go_on_when_postgresql_was_restarted_in_any_way() {
    let (mut fleet, batch, mut workers) = busy_with(Fleet::ports, Fleet::patient_worker);
    for how in [Stop::Fast, Stop::Immediate, Stop::Kill] {
        fleet.postgres.stop(how);
        fleet.postgres.start();
        let count = done(&fleet.status(&batch));
        fleet.wait_until(&batch, "another job", |tree| done(tree) > count);
    }
    end(&fleet, &batch, &mut workers, &[UNANSWERED]);
}

#[test]
fn workers_wait_for_postgresql_and_no_attempt_is_lost() {
    let (mut fleet, batch, mut workers) = busy(Fleet::ports);
    fleet.postgres.stop(Stop::Fast);
    wait_until_they_wait(&mut workers);
    sleep(outage());
    fleet.postgres.start();
    end(&fleet, &batch, &mut workers, &[UNANSWERED]);
}

#[test]
fn workers_wait_for_a_silent_postgresql_and_no_attempt_is_lost() {
    let mut gate = None;
    let (fleet, batch, mut workers) = busy(|fleet| Ports {
        postgres: gate.insert(Gate::new(fleet.postgres.port())).port(),
        ..fleet.ports()
    });
    let gate = gate.expect("it was made");
    gate.hold();
    sleep(outage());
    gate.pass();
    end(&fleet, &batch, &mut workers, &[UNANSWERED]);
}

#[test]
fn workers_wait_for_the_store_and_no_attempt_is_lost() {
    let (mut fleet, batch, mut workers) = busy(Fleet::ports);
    fleet.s3.stop();
    wait_until_they_wait(&mut workers);
    sleep(outage());
    fleet.s3.start();
    end(&fleet, &batch, &mut workers, &[]);
}

#[test]
fn a_worker_with_a_full_disk_says_so_and_leaves_its_jobs_to_others() {
    let mut fleet = Fleet::new(FOUR_SHARDS);
    let store = fleet.sandbox.path("store");
    fleet.store = store.to_str().expect("plain names").to_owned();
    let batch = fleet.submit();
    fleet.register("full");
    let mut command = fleet.worker_command("full", fleet.ports());
    command.args(["--store-retry", "1"]);
    // A proof has some 16 kB.
    let mut full = Process::start("full", with_full_disk(&command, 8));
    full.wait_for_event("a shard", |event| is_stage(event, "traces"));
    let other = fleet.worker("other", fleet.ports());
    let failed = full.wait_for_event("the failure", |event| is(event, "failed"));
    assert!(
        text(&failed["reason"]).contains("File too large"),
        "{failed}"
    );
    let explained = fleet.explain(text(&failed["job"]));
    assert_eq!(explained["attempts"][0]["reason"], failed["reason"]);

    // The worker with the full disk pauses ever longer; no job goes there twice.
    fleet.wait_until(&batch, "the proof", |tree| {
        tree["batch"]["state"] == "proven"
    });
    let tree = fleet.status(&batch);
    for job in jobs(&tree) {
        assert!(job["failures"].as_u64() <= Some(1), "{job}");
        assert!(text(&job["instance"]).starts_with("other-"), "{job}");
    }
    let failures = outcomes(&fleet, &batch)["failed"];
    assert!((1..=3).contains(&failures), "{failures} failures");
    full.signal(Signal::TERM);
    end(&fleet, &batch, &mut [full, other], &[("failed", failures)]);
}
