//! Traffic of exchange and payouts: the parallel result is the sequential one, and value is
//! conserved, to the unit.

use std::collections::BTreeMap;

use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;

use super::conservation::held;
use super::oracle;
use crate::workload::defi::{DefiPlan, Traffic, every_kind};

fn plan(traffic: Traffic) -> DefiPlan {
    DefiPlan {
        seed: 5,
        traffic,
        people: 400,
        transactions: 300,
        keys: 4,
    }
}

/// What all records hold of each asset.
fn all(state: &State) -> BTreeMap<u64, i128> {
    let mut sums = BTreeMap::new();
    let get = |index| state.tree().get(index);
    for (index, _) in state.tree().records() {
        for (asset, amount) in held(index, &get) {
            *sums.entry(asset).or_default() += amount;
        }
    }
    sums
}

#[test]
fn traffic_executes_alike_conserves_and_replays() {
    for traffic in Traffic::ALL {
        let workload = plan(traffic).build();
        let outcome = oracle::execute(&workload.state, &workload.batch);
        let accepted = outcome.accepted.len();
        assert_eq!(accepted, 300, "{traffic:?}: {:?}", outcome.receipts);
        let mut after = workload.state.clone();
        let shapes = [Shape::TINY, Shape::SMALL];
        oracle::apply(&mut after, &workload.batch, &outcome, &shapes);
        assert_eq!(all(&after), all(&workload.state), "{traffic:?}");
        let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, &shapes);
        println!("{traffic:?}: {} shards", witnesses.len());
    }
}

#[test]
fn one_batch_has_every_kind() {
    let workload = every_kind(0);
    let outcome = oracle::execute(&workload.state, &workload.batch);
    let count = workload.batch.transactions.len();
    assert_eq!(outcome.accepted.len(), count, "{:?}", outcome.receipts);
    let kinds = workload.batch.transactions.iter();
    let kinds: std::collections::BTreeSet<_> = kinds.map(|t| t.kind.name().to_string()).collect();
    assert_eq!(
        kinds.len(),
        shardfold_contracts::set::standard().list().count()
    );
    oracle::cut(
        &workload.state,
        &workload.batch,
        &outcome,
        &[Shape::TINY, Shape::SMALL],
    );
}
