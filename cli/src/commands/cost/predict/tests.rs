use shardfold_contracts::set::standard;
use shardfold_executor::workload::{Pattern, Plan};
use shardfold_executor::{sequential, shards};
use shardfold_fleet::manifest::Manifest;
use shardfold_fleet::objects::ObjectName;
use shardfold_fleet::queue::model::Kind;
use shardfold_protocol::shape::Shape;
use shardfold_prover::CircuitSet;
use shardfold_recursion::profile::Profile;

use super::*;
use crate::commands::cost::breakdown::{Contract, Shared};

fn rate(seconds: f64, measured: u64) -> Option<Rate> {
    Some(Rate { seconds, measured })
}

fn rates() -> Rates {
    Rates {
        execute: rate(0.5, 30),
        circuits: rate(2.0, 10),
        traces: rate(0.25, 20),
        stark: [(2, rate(4.0, 20).unwrap())].into(),
        shard_circuit: rate(8.0, 20),
        aggregate: rate(16.0, 20),
        finish: rate(32.0, 20),
    }
}

/// Shards with ten cells each.
fn batch(blowups: &[usize], transactions: u64) -> Breakdown {
    let circuits = CircuitSet::new(
        standard(),
        Profile::UnsoundTest,
        std::path::Path::new("nowhere"),
    );
    let plan = Plan {
        seed: 1,
        pattern: Pattern::Mixed,
        vaults: 4,
        transactions: 1,
        keys: 1,
    };
    let workload = plan.build();
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let mut state = workload.state.clone();
    let shapes = [Shape::TINY];
    let cut = shards::cut(standard(), &mut state, &workload.batch, &outcome, &shapes).unwrap();
    let one = Breakdown::new(&circuits, &cut).unwrap().shards.remove(0);
    let shards = blowups
        .iter()
        .map(|&blowup| super::super::breakdown::Shard {
            blowup,
            cells: 10,
            ..one.clone()
        });
    let contract = Contract {
        name: "transfer",
        transactions,
        cells_each: 1.0,
        cells: transactions,
    };
    Breakdown {
        shards: shards.collect(),
        contracts: vec![contract],
        shared: Shared::default(),
        cells: 10 * blowups.len() as u64,
    }
}

#[test]
fn seconds_are_counts_times_rates() {
    let batch = batch(&[2, 2, 2], 100);
    let found = Prediction::new(&batch, 2, &rates(), 4, 0.9).unwrap();
    let expected = [
        ("execute", 50.0),
        ("circuits", 2.0),
        ("traces", 7.5),
        ("stark", 120.0),
        ("shard_circuit", 24.0),
        ("aggregate", 32.0),
        ("finish", 32.0),
    ];
    assert_eq!(found.stages, expected.into());
    assert!(found.without.is_empty() && found.scaled.is_empty());
    assert_eq!(found.measured, (10, 30));
    assert_eq!(found.spent.seconds, 267.5);
    assert_eq!(found.spent.core_seconds, 1070.0);
    // 1070 / 3600 hours at 0.9 dollars.
    assert!((found.spent.usd - 0.2675).abs() < 1e-12);
    assert_eq!(found.spent.per_million.seconds, 2_675_000.0);
    assert!((found.spent.per_million.usd - 2675.0).abs() < 1e-8);
}

#[test]
fn what_was_not_measured_is_named() {
    let none = Rates::default();
    let small = batch(&[2], 100);
    assert_eq!(Prediction::new(&small, 2, &none, 4, 1.0), None);
    let rates = Rates {
        circuits: None,
        ..rates()
    };
    let found = Prediction::new(&small, 2, &rates, 4, 1.0).unwrap();
    assert_eq!(found.without, ["circuits"]);
    assert!(!found.stages.contains_key("circuits"));
    assert_eq!(found.spent.seconds, found.stages.values().sum::<f64>());
    let rates = Rates {
        stark: BTreeMap::new(),
        ..rates
    };
    let found = Prediction::new(&small, 2, &rates, 4, 1.0).unwrap();
    assert_eq!(found.without, ["circuits", "stark"]);
}

#[test]
fn the_rate_of_another_blow_up_is_scaled() {
    let found = Prediction::new(&batch(&[2, 8], 100), 2, &rates(), 4, 1.0).unwrap();
    assert_eq!(found.scaled, [8]);
    assert_eq!(found.stages["stark"], 40.0 + 160.0);
}

/// The jobs of a manifest are the measure.
#[test]
fn aggregations_are_those_of_the_manifest() {
    let plan = Plan {
        seed: 2,
        pattern: Pattern::Mixed,
        vaults: 8,
        transactions: 40,
        keys: 3,
    };
    let workload = plan.build();
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let mut state = workload.state.clone();
    let shapes = [Shape::TINY];
    let cut = shards::cut(standard(), &mut state, &workload.batch, &outcome, &shapes).unwrap();
    assert!(cut.len() >= 10, "{}", cut.len());
    for count in 1..=cut.len() {
        let shards = cut[..count].iter().zip(0_u8..);
        let shards: Vec<_> = shards
            .map(|(witness, number)| (ObjectName::of(&[number]), witness))
            .collect();
        let manifest = Manifest::new(Profile::UnsoundTest, [0; 32], &shards).unwrap();
        for arity in [2, 3, 4] {
            let jobs = manifest.jobs(arity);
            let jobs = jobs.iter().filter(|job| job.kind == Kind::Aggregate);
            assert_eq!(aggregations(count, arity), jobs.count(), "{count} {arity}");
        }
    }
}
