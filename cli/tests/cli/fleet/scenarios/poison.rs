//! Jobs that cannot be done, and jobs that kill who does them.

use serde_json::Value;
use shardfold_protocol::signature::Signature;
use shardfold_protocol::witness::ShardWitness;

use super::liar::{Access, executed};
use super::{FOUR_SHARDS, are_done, end, is, jobs, text};
use crate::fleet::harness::Fleet;
use crate::fleet::process::Process;

/// The job of one shard.
fn shard(tree: &Value, first: u64) -> &Value {
    let mut jobs = jobs(tree).iter();
    let is_it = |job: &&Value| job["kind"] == "shard" && job["first"] == first;
    jobs.find(is_it).expect("a shard")
}

/// The signature of the first transaction.
fn signature(shard: &mut ShardWitness) -> &mut Signature {
    let signed = shard.transactions[0].authorization.as_mut();
    &mut signed.expect("a transfer").signature
}

#[test]
fn a_witness_that_cannot_be_proven_is_dead_lettered_and_everything_else_goes_on() {
    let fleet = Fleet::new(FOUR_SHARDS);
    let (mut shards, circuits) = executed(&fleet);
    // A record that is not in the state, and a transfer with the signature of another.
    shards[1].records[0].1 = shards[1].records[1].1;
    let [.., giver, taker] = &mut shards[..] else {
        panic!("four shards");
    };
    *signature(taker) = *signature(giver);
    let poison = Access::to(&fleet).submit(circuits, "poison", &shards);
    let batch = fleet.submit();
    let worker = fleet.worker("worker", fleet.ports());
    let tree = fleet.wait_until(&poison, "two dead-lettered jobs", |tree| {
        let dead_lettered = jobs(tree)
            .iter()
            .filter(|job| job["state"] == "dead-lettered");
        dead_lettered.count() == 2 && are_done(tree, "shard", 2)
    });
    let reasons = [
        (1, "the shard circuit refuses the STARK"),
        (3, "signature 0"),
    ];
    for (first, reason) in reasons {
        let job = shard(&tree, first);
        let explained = fleet.explain(text(&job["id"]));
        let attempts = explained["attempts"].as_array().expect("a list");
        assert_eq!(attempts.len(), 3);
        for attempt in attempts {
            assert_eq!(attempt["outcome"], "failed");
            assert!(text(&attempt["reason"]).contains(reason), "{attempt}");
        }
    }
    let mut workers = [worker];
    end(&fleet, &batch, &mut workers, &[]);
}

#[test]
fn a_job_that_kills_its_workers_is_dead_lettered_and_can_be_retried() {
    let fleet = Fleet::new(FOUR_SHARDS);
    let (shards, circuits) = executed(&fleet);
    let batch = Access::to(&fleet).submit(circuits, "deadly", &shards);
    let deadly = text(&shard(&fleet.status(&batch), 0)["id"]).to_owned();
    let mut workers: Vec<Process> = Vec::new();
    for number in 0..3 {
        let mut worker = fleet.worker(&format!("killed{number}"), fleet.ports());
        worker.wait_for_event("the job", |event| {
            is(event, "started") && event["job"] == deadly.as_str()
        });
        worker.kill();
        workers.push(worker);
    }
    workers.push(fleet.worker("last", fleet.ports()));
    let tree = fleet.wait_until(&batch, "everything else", |tree| {
        shard(tree, 0)["state"] == "dead-lettered"
            && are_done(tree, "shard", 3)
            && are_done(tree, "aggregate", 1)
    });
    assert_eq!(shard(&tree, 0)["attempt"], 3);
    let explained = fleet.explain(&deadly);
    for (number, attempt) in explained["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        assert_eq!(attempt["outcome"], "lost");
        let name = format!("killed{number}-");
        assert!(text(&attempt["reason"]).contains(&name), "{attempt}");
    }
    fleet.ok(&["retry", &batch]);
    end(&fleet, &batch, &mut workers, &[("lost", 3)]);
}
