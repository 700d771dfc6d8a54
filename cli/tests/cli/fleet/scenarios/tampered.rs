//! Somebody changes or removes objects of the store.

use std::fs;

use super::{TWO_SHARDS, are_done, end, is, jobs, text};
use crate::common::refused;
use crate::fleet::harness::Fleet;

/// Flips a bit in the middle of an object.
fn tamper(fleet: &Fleet, object: &str) {
    let path = fleet.s3.path(object);
    let mut bytes = fs::read(&path).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("it can be changed");
}

#[test]
fn an_altered_witness_is_not_proven_until_it_is_submitted_again() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let tree = fleet.status(&batch);
    let shard = &jobs(&tree)[0];
    tamper(&fleet, &format!("witness/{}", text(&shard["input"])));
    let mut worker = fleet.worker("worker", fleet.ports());
    let failed = worker.wait_for_event("the failure", |event| is(event, "failed"));
    assert_eq!(failed["job"], shard["id"]);
    let reason = text(&failed["reason"]);
    assert!(reason.contains("was altered"), "{reason}");
    let explained = fleet.explain(text(&shard["id"]));
    assert_eq!(explained["attempts"][0]["reason"], reason);
    assert_eq!(fleet.submit(), batch);
    end(&fleet, &batch, &mut [worker], &[("failed", 1)]);
}

#[test]
fn altered_and_lost_parts_are_made_again() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let shards = fleet.worker_with("shards", fleet.ports(), &["--kinds", "shard"]);
    let tree = fleet.wait_until(&batch, "the shards", |tree| are_done(tree, "shard", 2));
    let mut workers = vec![shards];
    super::stop(&mut workers);
    let object = |number: usize| {
        let job = &jobs(&tree)[number];
        format!("part/{}/{}", text(&job["id"]), text(&job["result"]))
    };
    tamper(&fleet, &object(0));
    fs::remove_file(fleet.s3.path(&object(1))).expect("it is there");
    workers.push(fleet.worker("other", fleet.ports()));
    fleet.fetch_and_verify(&batch);
    for number in 0..2 {
        let explained = fleet.explain(text(&jobs(&tree)[number]["id"]));
        let attempt = &explained["attempts"][0];
        assert_eq!(attempt["outcome"], "invalidated");
        let reason = text(&attempt["reason"]);
        let expected = ["was altered", "has no object"][number];
        assert!(reason.contains(expected), "{reason}");
    }
    // Who has spoilt the store is not known.
    let strikes = "SELECT sum(strikes) FROM workers";
    assert_eq!(fleet.postgres.query(strikes), "0");
    // What the first worker has done counts no more.
    workers.remove(0);
    let others = [("invalidated", 2), ("released", 2)];
    end(&fleet, &batch, &mut workers, &others);
}

#[test]
fn an_altered_validity_proof_is_refused_and_made_again() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let worker = fleet.worker("worker", fleet.ports());
    let tree = fleet.wait_until(&batch, "the proof", |tree| {
        tree["batch"]["state"] == "proven"
    });
    tamper(&fleet, &format!("proof/{}", text(&tree["batch"]["proof"])));
    let fetch = ["fetch", &batch, "-o", "proof.bin"];
    let error = refused(fleet.command(&fetch, fleet.ports()));
    assert!(error.contains("was altered"), "{error}");
    assert!(!fleet.sandbox.exists("proof.bin"));
    fleet.fetch_and_verify(&batch);
    let mut workers = [worker];
    super::stop(&mut workers);
    // The finish alone was done twice.
    let tree = fleet.status(&batch);
    for job in jobs(&tree) {
        let times = if job["kind"] == "finish" { 2 } else { 1 };
        let id = text(&job["id"]);
        assert_eq!(super::done(&workers, &batch, id), times, "{job}");
        assert_eq!(job["attempt"], times);
    }
}
