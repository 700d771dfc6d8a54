use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;

use super::*;
use crate::field::F;

fn record(value: u64) -> Record {
    Record(core::array::from_fn(|i| {
        F::from_u64(value) * F::from_usize(i + 1)
    }))
}

/// The definition: a node is the compression of its children, all the way down.
fn naive_node(records: &BTreeMap<Index, Record>, level: usize, index: u64) -> Digest {
    let (first, last) = (index << level, ((index + 1) << level) - 1);
    if records
        .range(first as Index..=last as Index)
        .next()
        .is_none()
    {
        return empty_subtree(level);
    }
    if level == 0 {
        return records[&(index as Index)].digest();
    }
    let left = naive_node(records, level - 1, 2 * index);
    let right = naive_node(records, level - 1, 2 * index + 1);
    compress(&left, &right)
}

/// Indices that are often neighbours, often far apart, and sometimes at the ends.
fn index() -> impl Strategy<Value = Index> {
    prop_oneof![
        0..12u32,
        Just(Index::MAX),
        (Index::MAX - 6)..=Index::MAX,
        any::<Index>()
    ]
}

/// Some changes: a zero makes a record empty again.
fn changes() -> impl Strategy<Value = Vec<(Index, Record)>> {
    prop::collection::vec((index(), (0..4u64).prop_map(record)), 0..12)
}

#[test]
fn an_empty_subtree_is_made_of_empty_leaves() {
    assert_eq!(empty_subtree(0), Record::EMPTY.digest());
    let by_hand = compress(&Record::EMPTY.digest(), &Record::EMPTY.digest());
    assert_eq!(empty_subtree(1), by_hand);
    assert_eq!(StateTree::new().root(), empty_subtree(DEPTH));
}

#[test]
fn a_bulk_of_records_gives_the_root_of_the_definition() {
    let records: BTreeMap<Index, Record> = (0..3_000u64)
        .map(|i| ((i * i * 977) as Index, record(i + 1)))
        .collect();
    let list: Vec<_> = records.iter().map(|(&i, &r)| (i, r)).collect();
    let tree = StateTree::from_records(&list);
    assert_eq!(tree.root(), naive_node(&records, DEPTH, 0));
    assert_eq!(tree.records(), list);
}

proptest! {
    #[test]
    fn updates_give_the_root_of_the_definition(batches in prop::collection::vec(changes(), 1..5)) {
        let mut tree = StateTree::new();
        let mut expected = BTreeMap::new();
        for batch in &batches {
            tree.update(batch);
            expected.extend(batch.iter().copied());
            expected.retain(|_, record: &mut Record| !record.is_empty());
            prop_assert_eq!(tree.root(), naive_node(&expected, DEPTH, 0));
        }
        let stored: BTreeMap<_, _> = tree.records().into_iter().collect();
        prop_assert_eq!(stored, expected.clone());
        // Nothing is kept of what has become empty.
        if expected.is_empty() {
            prop_assert!(tree.levels.iter().all(HashMap::is_empty));
        }
    }

    #[test]
    fn siblings_lead_to_the_root(records in changes(), touched in prop::collection::btree_set(index(), 1..9)) {
        let tree = StateTree::from_records(&records);
        let indices: Vec<Index> = touched.into_iter().collect();
        let opened: Vec<_> = indices.iter().map(|&i| (i, tree.get(i))).collect();
        let mut siblings = tree.siblings(&indices);
        prop_assert_eq!(root_from(&opened, &siblings), Ok(tree.root()));

        let mut forged = opened.clone();
        forged[0].1.0[2] += F::ONE;
        prop_assert_ne!(root_from(&forged, &siblings), Ok(tree.root()));

        let expected = siblings.len();
        siblings.pop();
        let error = WitnessPathError::SiblingCount { found: expected - 1, expected };
        prop_assert_eq!(root_from(&opened, &siblings), Err(error));
    }

    #[test]
    fn touched_nodes_are_the_distinct_ancestors(touched in prop::collection::btree_set(index(), 0..9)) {
        let indices: Vec<Index> = touched.iter().copied().collect();
        let ancestors: std::collections::BTreeSet<(usize, u64)> = (1..=DEPTH)
            .flat_map(|level| indices.iter().map(move |&i| (level, u64::from(i) >> level)))
            .collect();
        prop_assert_eq!(touched_nodes(&indices), ancestors.len());
    }
}

#[test]
fn siblings_are_given_level_by_level_in_order() {
    let records: Vec<_> = (0..8).map(|i| (i, record(u64::from(i) + 1))).collect();
    let tree = StateTree::from_records(&records);
    let siblings = tree.siblings(&[1, 2, 3, 6]);
    // Level 0: 0 and 7. Level 1: the parent of 4 and 5. Level 2 has both of its nodes on a
    // path; above, everything to the right is empty.
    let digest = |i: usize| records[i].1.digest();
    assert_eq!(
        siblings[..3],
        [digest(0), digest(7), compress(&digest(4), &digest(5))]
    );
    assert_eq!(siblings[3], empty_subtree(3));
    assert_eq!(siblings.len(), 3 + DEPTH - 3);
}

#[test]
fn records_out_of_order_are_refused() {
    let a = record(1);
    assert_eq!(root_from(&[], &[]), Err(WitnessPathError::NoRecords));
    let order = |found| WitnessPathError::Order {
        position: 1,
        found,
        previous: 5,
    };
    assert_eq!(root_from(&[(5, a), (5, a)], &[]), Err(order(5)));
    assert_eq!(root_from(&[(5, a), (4, a)], &[]), Err(order(4)));
}
