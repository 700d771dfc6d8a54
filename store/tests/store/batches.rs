//! Batches on the parts that the database gives.

use shardfold_contracts::set::standard;
use shardfold_executor::shards;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_store::{BatchDigest, StoreError, View};

use crate::common::{Pair, apply_outcome, move_on};

#[test]
fn a_chain_of_batches_gives_the_state_of_memory() {
    for vaults in [4, 40, 3_000] {
        let mut pair = Pair::new(vaults);
        let mut history = Vec::new();
        for transactions in [1, 10, 200, 50] {
            let batch = pair.batch(transactions);
            let mut store = pair.store();
            let (outcome, applied) = pair.apply(&mut store, &batch);
            assert_eq!(applied.after, *pair.state.head());
            assert_eq!(applied.counts.accepted, outcome.accepted.len() as u64);
            assert_eq!(
                applied.counts.accepted + applied.counts.rejected,
                transactions as u64
            );
            history.push(applied);
            let view = store.view().unwrap();
            assert_eq!(view.applied(&applied.batch).unwrap(), Some(applied));
            assert_eq!(view.head(), pair.state.head());
            drop(view);
            store.check().unwrap();
        }
        let view = View::open(pair.path()).unwrap();
        assert_eq!(view.history().unwrap(), history);
        assert_eq!(view.batches().unwrap(), history.len() as u64);
        assert_eq!(*view.imported(), history[0].before);
        assert_eq!(view.to_file().unwrap(), pair.state.to_file());
        assert_eq!(view.record_count().unwrap(), pair.state.tree().len() as u64);
        view.check().unwrap();
    }
}

#[test]
fn shards_cut_from_a_part_are_those_of_the_whole() {
    let mut pair = Pair::new(300);
    let batch = pair.batch(150);
    let mut part = pair
        .store()
        .view()
        .unwrap()
        .part_of(standard().indices(&batch.transactions))
        .unwrap();
    let outcome = shardfold_executor::parallel::execute(standard(), &part, &batch).unwrap();
    let shapes = [Shape {
        log_transactions: 5,
        log_records: 7,
        log_nodes: 12,
        log_permutations: 14,
        ..Shape::SMALL
    }];
    let from_part = shards::cut(standard(), &mut part, &batch, &outcome, &shapes).unwrap();
    let from_whole = shards::cut(standard(), &mut pair.state, &batch, &outcome, &shapes).unwrap();
    assert!(from_part.len() > 2);
    assert_eq!(from_part, from_whole);
    let mut store = pair.store();
    apply_outcome(&mut store, &batch, &outcome, &part).unwrap();
    store.check().unwrap();
    assert_eq!(store.view().unwrap().head(), pair.state.head());
}

#[test]
fn a_view_stays_where_it_was() {
    let mut pair = Pair::new(10);
    let mut store = pair.store();
    let view = store.view().unwrap();
    let before = (*view.head(), view.to_file().unwrap());
    let batch = pair.batch(20);
    pair.apply(&mut store, &batch);
    assert_eq!((*view.head(), view.to_file().unwrap()), before);
    assert_ne!(*store.view().unwrap().head(), before.0);
}

#[test]
fn a_batch_that_starts_elsewhere_changes_nothing() {
    let mut pair = Pair::new(10);
    let mut store = pair.store();
    let (first, second) = (pair.batch(5), pair.batch(7));
    let mut part = store
        .view()
        .unwrap()
        .part_of(standard().indices(&second.transactions))
        .unwrap();
    let outcome = shardfold_executor::parallel::execute(standard(), &part, &second).unwrap();
    move_on(&mut part, &second, &outcome);
    pair.apply(&mut store, &first);
    let before = store.view().unwrap().to_file().unwrap();

    let error = apply_outcome(&mut store, &second, &outcome, &part).unwrap_err();
    assert!(
        matches!(error, StoreError::Moved { found: 0, .. }),
        "{error}"
    );
    let view = store.view().unwrap();
    assert_eq!(view.to_file().unwrap(), before);
    assert_eq!(view.batches().unwrap(), 1);
    let unknown = BatchDigest::of(&second).unwrap();
    assert_eq!(view.applied(&unknown).unwrap(), None);
}

#[test]
fn any_record_is_proven_against_the_head() {
    let mut pair = Pair::new(50);
    let mut store = pair.store();
    let batch = pair.batch(100);
    pair.apply(&mut store, &batch);
    let view = store.view().unwrap();
    let accessed = standard().indices(&batch.transactions).into_iter();
    for index in accessed.chain([0, 49, 50, Index::MAX]) {
        let proof = view.part_of([index]).unwrap().tree().prove_record(index);
        assert_eq!(proof.record, pair.state.tree().get(index));
        assert_eq!(proof, pair.state.tree().prove_record(index));
        proof.check(view.head()).unwrap();
    }
    let mut forged = view.part_of([1]).unwrap().tree().prove_record(1);
    forged.record = Record::EMPTY;
    forged.check(view.head()).unwrap_err();
}
