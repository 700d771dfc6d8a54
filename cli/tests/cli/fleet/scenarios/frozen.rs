//! A worker that stands still, as a machine that sleeps or swaps, and does not know of it.

use super::{FOUR_SHARDS, TWO_SHARDS, end, is, is_stage, text, times_proven};
use crate::fleet::gate::Gate;
use crate::fleet::harness::{Fleet, Ports};
use crate::fleet::process::Process;

/// The fleet's ports, with the store behind a gate.
fn behind(fleet: &Fleet, gate: &Gate) -> Ports {
    Ports {
        s3: gate.port(),
        ..fleet.ports()
    }
}

/// A worker that is frozen while it uploads its first proof, and the job.
fn frozen(fleet: &Fleet, gate: &Gate, batch: &str) -> (Process, String) {
    let ports = behind(fleet, gate);
    let mut frozen = fleet.worker_with("frozen", ports, &["--store-retry", "1"]);
    let job = upload(&mut frozen, gate);
    frozen.freeze();
    let lost = |tree: &serde_json::Value| {
        let mut jobs = super::jobs(tree).iter();
        jobs.any(|known| known["id"] == job.as_str() && known["failures"] == 1)
    };
    // Somebody must notice.
    let mut witness = fleet.worker_with("witness", fleet.ports(), &["--kinds", "finish"]);
    fleet.wait_until(batch, "the end of the lease", lost);
    super::stop(std::slice::from_mut(&mut witness));
    (frozen, job)
}

/// Waits until a worker is in the middle of its first upload: the job.
fn upload(worker: &mut Process, gate: &Gate) -> String {
    let event = worker.wait_for_event("a shard", |event| is_stage(event, "traces"));
    // A proof has some 16 kB.
    gate.hold_after(8_000);
    gate.wait_until_held();
    text(&event["job"]).to_owned()
}

#[test]
fn a_worker_frozen_past_its_lease_gives_up_when_it_is_woken() {
    let fleet = Fleet::new(FOUR_SHARDS);
    let batch = fleet.submit();
    let mut frozen = fleet.worker("frozen", fleet.ports());
    let event = frozen.wait_for_event("a shard", |event| is_stage(event, "traces"));
    frozen.freeze();
    let mut other = fleet.worker("other", fleet.ports());
    other.wait_for_event("the same shard", |again| {
        is_stage(again, "traces") && again["job"] == event["job"]
    });
    frozen.wake();
    frozen.wait_for_event("its end", |end| {
        is(end, "given back") && end["job"] == event["job"]
    });
    end(&fleet, &batch, &mut [frozen, other], &[("lost", 1)]);
}

#[test]
fn the_late_result_of_a_woken_worker_is_taken_and_ends_the_live_attempt() {
    let fleet = Fleet::new(TWO_SHARDS);
    let (gate, other_gate) = (Gate::new(fleet.s3.port()), Gate::new(fleet.s3.port()));
    let batch = fleet.submit();
    let (mut frozen, job) = frozen(&fleet, &gate, &batch);
    let mut other = fleet.worker("other", behind(&fleet, &other_gate));
    other.wait_for_event("the same job", |event| {
        is_stage(event, "traces") && event["job"] == job.as_str()
    });
    other_gate.hold();
    gate.pass();
    frozen.wake();
    frozen.wait_for_event("the late result", |event| {
        is(event, "done") && event["job"] == job.as_str()
    });
    other_gate.pass();
    other.wait_for_event("the end of the live attempt", |event| {
        is(event, "given back") && event["job"] == job.as_str()
    });
    let mut workers = [frozen, other];
    // The first attempt was lost, and then done.
    end(&fleet, &batch, &mut workers, &[("superseded", 1)]);
}

#[test]
fn the_late_failure_of_a_woken_worker_does_not_end_the_live_attempt() {
    let fleet = Fleet::new(TWO_SHARDS);
    let (gate, other_gate) = (Gate::new(fleet.s3.port()), Gate::new(fleet.s3.port()));
    let batch = fleet.submit();
    let (mut frozen, job) = frozen(&fleet, &gate, &batch);
    let mut other = fleet.worker("other", behind(&fleet, &other_gate));
    other.wait_for_event("the same job", |event| {
        is_stage(event, "traces") && event["job"] == job.as_str()
    });
    other_gate.hold();
    // Its upload fails, and so does the next.
    gate.cut();
    frozen.wake();
    frozen.wait_for_event("the late failure", |event| {
        is(event, "failed") && event["job"] == job.as_str()
    });
    let live = &fleet.explain(&job)["job"];
    assert_eq!(
        (&live["state"], &live["attempt"]),
        (&"running".into(), &2.into())
    );
    assert_eq!(live["failures"], 1);
    frozen.kill();
    other_gate.pass();
    let mut workers = [frozen, other];
    end(&fleet, &batch, &mut workers, &[("lost", 1)]);
    assert_eq!(times_proven(&workers, &job), 2);
}
