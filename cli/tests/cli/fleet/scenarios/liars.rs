//! Registered workers that hand in what is no proof of their job.

use shardfold_aggregator::Aggregator;
use shardfold_aggregator::{ARITY, AggregationCircuit};
use shardfold_contracts::set::standard;
use shardfold_fleet::engine::aggregation_circuit;
use shardfold_fleet::keys::WorkerKey;
use shardfold_fleet::queue::QueueError;
use shardfold_fleet::queue::model::Kind;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use super::liar::{Access, Liar, executed};
use super::{FOUR_SHARDS, TWO_SHARDS, are_done, end, jobs, text};
use crate::common::{PROFILE, cache};
use crate::fleet::harness::Fleet;
use crate::fleet::process::Process;

/// The key of the circuits of a batch.
fn circuits(fleet: &Fleet, batch: &str) -> String {
    text(&fleet.status(batch)["batch"]["circuits"]).to_owned()
}

fn strikes(fleet: &Fleet, worker: &str) -> String {
    let select = format!("SELECT strikes FROM workers WHERE name = '{worker}'");
    fleet.postgres.query(&select)
}

#[test]
fn garbage_is_refuted_and_its_sender_gets_no_more_jobs() {
    let fleet = Fleet::new(FOUR_SHARDS);
    let batch = fleet.submit();
    let liar = Liar::new(&fleet, "liar", &circuits(&fleet, &batch));
    let claims = [(); 4].map(|()| liar.claim(Kind::Shard).expect("a shard"));
    liar.deliver(&claims[0], &[7; 16_456]);
    liar.deliver(&claims[1], &[]);
    liar.deliver(&claims[2], &[0; 16_456]);
    // Anybody could have put this one there.
    let stranger = WorkerKey::generate().expect("randomness");
    liar.deliver_signed_by(&stranger, &claims[3], &[7; 16_456]);
    let mut workers = [fleet.worker("honest", fleet.ports())];
    end(
        &fleet,
        &batch,
        &mut workers,
        &[("invalidated", 4), ("released", 4)],
    );
    assert_eq!(strikes(&fleet, "liar"), "3");
    assert_eq!(strikes(&fleet, "honest"), "0");
    assert!(matches!(
        liar.refusal(),
        QueueError::Struck { strikes: 3, .. }
    ));
    for claim in claims {
        let explained = fleet.explain(&claim.job);
        let attempt = &explained["attempts"][0];
        assert_eq!(attempt["outcome"], "invalidated");
        assert_ne!(text(&attempt["reason"]), "");
    }
}

#[test]
fn a_proof_of_another_shard_is_refuted() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let liar = Liar::new(&fleet, "liar", &circuits(&fleet, &batch));
    let claimed = liar.claim(Kind::Shard).expect("a shard");
    let worker = fleet.worker("honest", fleet.ports());
    let tree = fleet.wait_until(&batch, "a shard", |tree| are_done(tree, "shard", 1));
    let mut done = jobs(&tree).iter().filter(|job| job["state"] == "done");
    let other = done.next().expect("it is done");
    let (job, result) = (text(&other["id"]), text(&other["result"]));
    liar.deliver(&claimed, &liar.access().part(job, result));
    let mut workers = [worker];
    end(
        &fleet,
        &batch,
        &mut workers,
        &[("invalidated", 1), ("released", 1)],
    );
    assert_eq!(strikes(&fleet, "liar"), "1");
    let reason = &fleet.explain(&claimed.job)["attempts"][0]["reason"];
    assert!(text(reason).contains("the proof states"), "{reason}");
}

#[test]
fn a_proof_made_with_the_circuits_of_last_week_is_refuted() {
    let fleet = Fleet::new(TWO_SHARDS);
    let batch = fleet.submit();
    let shards = fleet.worker_with("shards", fleet.ports(), &["--kinds", "shard"]);
    let tree = fleet.wait_until(&batch, "the shards", |tree| are_done(tree, "shard", 2));
    // It says that it has the circuits of today.
    let liar = Liar::new(&fleet, "liar", &circuits(&fleet, &batch));
    let claimed = liar.claim(Kind::Aggregate).expect("an aggregation");
    let last_week = last_week();
    let parts: Vec<_> = jobs(&tree)
        .iter()
        .filter(|job| job["kind"] == "shard")
        .map(|job| liar.access().part(text(&job["id"]), text(&job["result"])))
        .map(|bytes| last_week.decode(&bytes).expect("a shard's proof"))
        .collect();
    let aggregated = last_week.aggregate(&parts).expect("neighbours");
    liar.deliver(&claimed, &aggregated.to_bytes());
    let mut workers = [shards, fleet.worker("honest", fleet.ports())];
    end(
        &fleet,
        &batch,
        &mut workers,
        &[("invalidated", 1), ("released", 1)],
    );
    assert_eq!(strikes(&fleet, "liar"), "1");
}

/// An aggregation of other circuits: it allows one more kind of shard.
fn last_week() -> Aggregator {
    let profile = Profile::named(PROFILE).expect("it is known");
    let today =
        aggregation_circuit(&CircuitSet::new(standard(), profile, cache())).expect("it is there");
    let mut keys = today.leaf_keys().to_vec();
    keys.extend_from_within(..1);
    let parameters = profile.plonk();
    let aggregation = AggregationCircuit::build(today.common(), keys, ARITY, parameters.grinding)
        .expect("it fits");
    Aggregator::new(&parameters, aggregation).expect("the same form")
}

#[test]
fn a_worker_with_other_circuits_is_refused_at_once() {
    let fleet = Fleet::new(TWO_SHARDS);
    let (shards, own) = executed(&fleet);
    let (own, others) = (hex::encode(own), hex::encode([7; 32]));
    let old = Access::to(&fleet).submit([7; 32], "last week", &shards);

    let mut refused = fleet.worker("refused", fleet.ports());
    assert!(!refused.wait().success());
    let error = refused.wait_for_line("circuits for unsound-test");
    assert!(error.contains(&own) && error.contains(&others), "{error}");

    // This week's batch is there, and last week's worker still.
    let liar = Liar::new(&fleet, "liar", &others);
    let batch = fleet.submit();
    assert_ne!(batch, old);
    let claimed = liar.claim(Kind::Shard).expect("a shard");
    assert_eq!(claimed.batch, old);
    let none = hex::encode([9; 32]);
    let refusal = liar
        .register_instance(&none)
        .expect_err("circuits of no batch");
    assert!(refusal.to_string().contains(&none), "{refusal}");

    let command = fleet.worker_command("refused", fleet.ports());
    let mut workers = [Process::start("welcome", command)];
    end(&fleet, &batch, &mut workers, &[]);
    let taken = fleet.status(&old)["jobs"].to_string();
    assert!(!taken.contains("refused-"), "{taken}");
}
