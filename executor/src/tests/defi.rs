//! Traffic of exchange and payouts: the parallel result is the sequential one, and value is
//! conserved, to the unit.

use std::collections::BTreeMap;

use p3_field::PrimeField64;
use shardfold_contracts::exchange::Pool;
use shardfold_protocol::record::{KIND_MARKET, KIND_PAYOUT, KIND_POSITION, Record, SHARES};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;

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
    match record.0.map(|element| element.as_canonical_u64()) {
        [KIND_PAYOUT, asset, remaining, ..] => vec![(asset, remaining)],
        [KIND_MARKET, supplied, _, borrowed, _, _, loan, _] => vec![(loan, supplied - borrowed)],
        _ => vec![],
    }
}

/// What positions hold, by the index of their market.
fn posted(state: &State) -> u128 {
    let posted = |(_, record): (_, Record)| match record.0.map(|e| e.as_canonical_u64()) {
        [KIND_POSITION, _, collateral, ..] => u128::from(collateral),
        _ => 0,
    };
    state.tree().records().into_iter().map(posted).sum()
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
        let [mut before, mut now] = [all(&workload.state), all(&after)];
        // What is posted is of some token; shares are made and given back.
        for (sums, state) in [(&mut before, &workload.state), (&mut now, &after)] {
            sums.retain(|asset, _| *asset < SHARES);
            let tokens: u128 = sums
                .iter()
                .filter(|(asset, _)| **asset >= 1_000)
                .map(|(_, sum)| sum)
                .sum();
            sums.retain(|asset, _| *asset < 1_000);
            sums.insert(1_000, tokens + posted(state));
        }
        assert_eq!(now, before, "{traffic:?}");
        let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, &shapes);
        println!("{traffic:?}: {} shards", witnesses.len());
    }
}

#[test]
fn one_batch_has_every_kind() {
    let workload = every_kind();
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
