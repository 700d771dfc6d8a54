//! The one oracle: whatever is done with a batch, the result is that of the sequential rule.

use std::collections::BTreeMap;

use shardfold_contracts::set::standard;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::difference::{decode, extend_data};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::witness::ShardWitness;

use crate::outcome::Outcome;
use crate::reexecute::{self, reexecute};
use crate::{parallel, sequential, shards};

/// 2 transactions anywhere in the tree.
pub const PAIR: Shape = Shape {
    log_transactions: 1,
    log_records: 2,
    log_nodes: 8,
    log_permutations: 9,
    ..Shape::TINY
};

/// Executes a batch in both ways, which must agree, and gives the outcome.
pub fn execute(state: &State, batch: &Batch) -> Outcome {
    let expected = sequential::execute(standard(), state, batch).unwrap();
    let found = parallel::execute(standard(), state, batch).unwrap();
    assert_eq!(found, expected);
    expected
}

/// Moves a state to the end of a batch, cut into shards of these shapes.
pub fn apply(state: &mut State, batch: &Batch, outcome: &Outcome, shapes: &[Shape]) {
    shards::apply(standard(), state, batch, outcome, shapes).unwrap();
}

/// Cuts a batch into shards: each must reexecute, they must follow each other, and the last must
/// end where the batch does.
pub fn cut(state: &State, batch: &Batch, outcome: &Outcome, shapes: &[Shape]) -> Vec<ShardWitness> {
    let mut expected = state.clone();
    apply(&mut expected, batch, outcome, shapes);
    let mut tree = state.tree().clone();
    tree.update(&outcome.changes);
    assert_eq!(tree.root(), expected.tree().root());
    let mut after_shards = state.clone();
    let witnesses = shards::cut(standard(), &mut after_shards, batch, outcome, shapes).unwrap();
    assert_eq!(after_shards, expected);
    assert_eq!(after_shards.tree().root(), expected.head().state_root);

    let mut head = *state.head();
    for witness in &witnesses {
        reexecute(standard(), witness).unwrap();
        assert_eq!(witness.statement.before, head);
        assert_eq!(witness.statement.chain_id, state.chain_id());
        assert_eq!(witness.statement.after.time, batch.time);
        assert!(shapes.contains(&witness.shape));
        head = witness.statement.after;
    }
    assert_eq!(head, *expected.head());

    check_differences(state, &witnesses, &expected);

    let proven = witnesses.iter().flat_map(|witness| &witness.transactions);
    let accepted = outcome
        .accepted
        .iter()
        .map(|entry| &batch.transactions[entry.position]);
    assert!(proven.eq(accepted));
    witnesses
}

/// What the shards publish is what their heads commit to, and makes the state after of the one before.
fn check_differences(before: &State, witnesses: &[ShardWitness], after: &State) {
    let mut published = vec![];
    let mut chain = before.head().data_commitment;
    for witness in witnesses {
        let elements = reexecute::published(standard(), witness)
            .unwrap()
            .differences;
        chain = extend_data(&chain, &elements);
        assert_eq!(chain, witness.statement.after.data_commitment);
        published.extend(elements);
    }
    let mut records = BTreeMap::new();
    for (index, change) in decode(&published).unwrap() {
        let record = records
            .entry(index)
            .or_insert_with(|| before.tree().get(index));
        *record = change.apply(record).unwrap();
    }
    let mut tree = before.tree().clone();
    tree.update(&records.into_iter().collect::<Vec<_>>());
    assert_eq!(tree.records(), after.tree().records());
    assert_eq!(tree.root(), after.head().state_root);
}
