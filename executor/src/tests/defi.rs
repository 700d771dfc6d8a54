//! Traffic of exchange and payouts: the parallel result is the sequential one, and value is
//! conserved, to the unit.

use std::collections::BTreeMap;

use p3_field::PrimeField64;
use shardfold_contracts::exchange::Pool;
use shardfold_protocol::record::{KIND_PAYOUT, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;

use super::oracle;
use crate::workload::defi::{DefiPlan, Traffic};

fn plan(traffic: Traffic) -> DefiPlan {
    DefiPlan {
        seed: 5,
        traffic,
        people: 400,
        transactions: 300,
        keys: 4,
    }
}

/// What vaults, pools and payouts hold of each asset together.
fn all(state: &State) -> BTreeMap<u64, u128> {
    let mut sums = BTreeMap::new();
    for (_, record) in state.tree().records() {
        for (asset, amount) in held(&record) {
            *sums.entry(asset).or_default() += u128::from(amount);
        }
    }
    sums
}

fn held(record: &Record) -> Vec<(u64, u64)> {
    if let Some(vault) = record.vault() {
        return vec![(vault.asset, vault.balance)];
    }
    if let Some(pool) = Pool::of(record) {
        let Pool {
            asset_a, asset_b, ..
        } = pool;
        return vec![(asset_a, pool.reserve_a), (asset_b, pool.reserve_b)];
    }
    let [kind, asset, remaining, ..] = record.0.map(|element| element.as_canonical_u64());
    if kind == KIND_PAYOUT {
        return vec![(asset, remaining)];
    }
    vec![]
}

#[test]
fn traffic_executes_alike_conserves_and_replays() {
    for traffic in Traffic::ALL {
        let workload = plan(traffic).build();
        let outcome = oracle::execute(&workload.state, &workload.batch);
        let accepted = outcome.accepted.len();
        assert_eq!(accepted, 300, "{traffic:?}: {:?}", outcome.receipts);
        let mut after = workload.state.clone();
        outcome.commit(&mut after);
        assert_eq!(all(&after), all(&workload.state), "{traffic:?}");
        let shapes = [Shape::TINY, Shape::SMALL];
        let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, &shapes);
        println!("{traffic:?}: {} shards", witnesses.len());
    }
}
