//! Settlement proofs in a fleet.

use super::{TWO_SHARDS, end, is, jobs, text};
use crate::common::PROFILE;
use crate::fleet::harness::Fleet;

#[test]
fn a_worker_killed_while_it_makes_the_settlement_proof_loses_only_that() {
    let fleet = Fleet::new(TWO_SHARDS);
    let submit = ["submit", "batch.bin", "--profile", PROFILE, "--settlement"];
    let batch = fleet.ok(&[&submit[..], &["--changes", "changes.bin"]].concat());
    let kinds: Vec<_> = jobs(&fleet.status(&batch))
        .iter()
        .map(|job| text(&job["kind"]).to_owned())
        .collect();
    assert_eq!(kinds, ["shard", "shard", "aggregate", "finish", "wrap"]);
    let mut killed = fleet.worker("killed", fleet.ports());
    let started = killed.wait_for_event("the settlement proof", |event| {
        is(event, "started") && event["kind"] == "wrap"
    });
    let job = text(&started["job"]).to_owned();
    let explained = fleet.ok(&["explain", &job]);
    assert!(
        explained.contains("settlement proof of the batch"),
        "{explained}"
    );
    assert!(explained.contains("input  differences "), "{explained}");
    killed.kill();
    let other = fleet.worker("other", fleet.ports());
    let mut workers = [killed, other];
    end(&fleet, &batch, &mut workers, &[("lost", 1)]);

    let fetch = [
        "fetch",
        &batch,
        "-o",
        "proof.bin",
        "--settlement",
        "settlement.bin",
    ];
    fleet.ok(&fetch);
    let key = [
        "key",
        "--settlement",
        "-o",
        "settlement.key",
        "--profile",
        PROFILE,
    ];
    fleet.ok(&key);
    let verify = [
        "verify",
        "settlement.bin",
        "--key",
        "settlement.key",
        "--json",
    ];
    let settlement = fleet.sandbox.ok(&verify).json();
    let validity = fleet.sandbox.verify("proof.bin");
    for field in ["chain_id", "before", "after", "transactions"] {
        assert_eq!(settlement[field], validity[field], "{field}");
    }
}
