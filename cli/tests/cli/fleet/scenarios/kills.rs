//! `kill -9`, at the worst moments.

use super::{FOUR_SHARDS, TWO_SHARDS, end, is, is_stage, jobs, text, times_proven};
use crate::common::PROFILE;
use crate::fleet::gate::Gate;
use crate::fleet::harness::{Fleet, Ports};
use crate::fleet::process::Process;
use crate::fleet::time::wait_for;

#[test]
fn a_worker_killed_while_it_proves_loses_only_the_job_at_hand() {
    let fleet = Fleet::new(FOUR_SHARDS);
    let batch = fleet.submit();
    let mut killed = fleet.worker("killed", fleet.ports());
    let done = killed.wait_for_event("a job", |event| is(event, "done"));
    let other = fleet.worker("other", fleet.ports());
    killed.wait_for_event("the next job", |event| {
        is_stage(event, "traces") && event["job"] != done["job"]
    });
    killed.kill();
    let mut workers = [killed, other];
    end(&fleet, &batch, &mut workers, &[("lost", 1)]);
    assert_eq!(times_proven(&workers, text(&done["job"])), 1);
}

#[test]
fn a_worker_killed_while_it_stores_leaves_no_half_proof() {
    let fleet = Fleet::new(TWO_SHARDS);
    let gate = Gate::new(fleet.s3.port());
    let batch = fleet.submit();
    let ports = Ports {
        s3: gate.port(),
        ..fleet.ports()
    };
    let mut killed = fleet.worker("killed", ports);
    let event = killed.wait_for_event("a shard", |event| is_stage(event, "traces"));
    let job = text(&event["job"]).to_owned();
    // The proof has some 16 kB.
    gate.hold_after(8_000);
    gate.wait_until_held();
    let other = fleet.worker("other", fleet.ports());
    assert_eq!(times_proven(std::slice::from_ref(&killed), &job), 1);
    killed.kill();
    gate.cut();
    assert_eq!(parts(&fleet, &job), 0);
    let mut workers = [killed, other];
    end(&fleet, &batch, &mut workers, &[("lost", 1)]);
    assert_eq!(times_proven(&workers, &job), 2);
}

#[test]
fn a_proof_that_was_stored_by_a_killed_worker_is_found_and_not_made_again() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let mut killed = fleet.worker("killed", fleet.ports());
    let event = killed.wait_for_event("a shard", |event| is_stage(event, "traces"));
    let job = text(&event["job"]).to_owned();
    let session = fleet.postgres.hold("LOCK TABLE jobs IN EXCLUSIVE MODE");
    wait_for("the proof", || (parts(&fleet, &job) == 1).then_some(()));
    killed.kill();
    drop(session);
    let mut other = fleet.worker("other", fleet.ports());
    other.wait_for_event("the proof in the store", |event| {
        is(event, "done") && event["job"] == job.as_str() && event["found"] == true
    });
    let mut workers = [killed, other];
    end(&fleet, &batch, &mut workers, &[("lost", 1)]);
    assert_eq!(times_proven(&workers, &job), 1);
}

#[test]
fn a_submitter_killed_at_any_moment_leaves_all_of_a_batch_or_nothing() {
    let fleet = Fleet::new(TWO_SHARDS);
    let gate = Gate::new(fleet.s3.port());
    // Makes the tables.
    fleet.register("first");
    let submit = |ports| {
        let command = fleet.command(&["submit", "batch.bin", "--profile", PROFILE], ports);
        Process::start("submitter", command)
    };
    let is_empty = || {
        let counts = "SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM jobs)";
        assert_eq!(fleet.postgres.query(counts), "0|0");
    };

    // While it stores the witnesses.
    let ports = Ports {
        s3: gate.port(),
        ..fleet.ports()
    };
    gate.hold_after(2_000);
    let mut submitter = submit(ports);
    gate.wait_until_held();
    submitter.kill();
    gate.cut();
    is_empty();

    // When everything is stored, and nothing enqueued.
    let session = fleet.postgres.hold("LOCK TABLE batches");
    let mut submitter = submit(fleet.ports());
    wait_for("the manifest", || {
        let objects = fleet.s3.objects();
        let stored = objects.iter().any(|name| name.starts_with("manifest/"));
        stored.then_some(())
    });
    submitter.kill();
    drop(session);
    is_empty();

    // In the middle of the transaction that enqueues.
    let session = fleet.postgres.hold("LOCK TABLE jobs");
    let mut submitter = submit(fleet.ports());
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    wait_for("the transaction", || {
        (fleet.postgres.query(waits) != "0").then_some(())
    });
    submitter.kill();
    drop(session);
    is_empty();

    let batch = fleet.submit();
    assert_eq!(fleet.submit(), batch);
    assert_eq!(jobs(&fleet.status(&batch)).len(), 4);
    let mut workers = [fleet.worker("worker", fleet.ports())];
    end(&fleet, &batch, &mut workers, &[]);
}

/// The whole proofs of a job that are in the store.
fn parts(fleet: &Fleet, job: &str) -> usize {
    let folder = format!("part/{job}/");
    let objects = fleet.s3.objects();
    let parts = objects.iter().filter(|name| name.starts_with(&folder));
    parts.count()
}
