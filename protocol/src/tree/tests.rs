use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;

use super::*;
use crate::field::{F, MODULUS};
use crate::head::Head;

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
            prop_assert_eq!(tree.pages(), vec![]);
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

/// Everything that a store has of some indices.
fn parts(tree: &StateTree, indices: &[Index]) -> StateTree {
    let records: Vec<_> = indices.iter().map(|&i| (i, tree.get(i))).collect();
    let pages = pages_on_paths(indices).into_iter();
    let pages = pages.filter_map(|id| {
        let bytes = tree.page(id)?.to_bytes();
        Some((id, Page::from_bytes(&bytes).unwrap()))
    });
    StateTree::from_parts(&records, pages)
}

proptest! {
    #[test]
    fn a_partial_tree_is_as_good_as_the_whole_one(records in changes(), batches in prop::collection::vec(changes(), 1..4)) {
        let mut whole = StateTree::from_records(&records);
        let touched: Vec<Index> = batches.iter().flatten().map(|&(index, _)| index).collect();
        let mut partial = parts(&whole, &touched);
        let mut written_back = whole.clone();
        for batch in &batches {
            let opening = whole.replace(batch, |_| ()).0;
            prop_assert_eq!(partial.replace(batch, |_| ()).0, opening);
            prop_assert_eq!(partial.root(), whole.root());
        }
        for id in pages_on_paths(&touched) {
            prop_assert_eq!(partial.page(id), whole.page(id));
        }
        // What a store does: changed records, and changed pages in the place of the old ones.
        for batch in &batches {
            written_back.records.replace(&last_by_index(batch));
        }
        let changed = pages_on_paths(&touched);
        let kept = written_back.pages().into_iter().filter(|(id, _)| !changed.contains(id));
        let pages = kept.chain(changed.iter().filter_map(|&id| Some((id, partial.page(id)?))));
        let restored = StateTree::from_parts(
            &written_back.records(),
            pages.map(|(id, page)| (id, page.clone())).collect::<Vec<_>>(),
        );
        prop_assert_eq!(restored.root(), whole.root());
        prop_assert_eq!(restored.pages(), whole.pages());
        prop_assert_eq!(&restored, &whole);
    }

    #[test]
    fn an_opening_is_what_the_paths_had(records in changes(), changed in changes()) {
        let mut tree = StateTree::from_records(&records);
        let before = tree.clone();
        let opening = tree.replace(&changed, |_| ()).0;
        let indices: Vec<Index> = opening.records.iter().map(|&(index, _)| index).collect();
        let distinct: std::collections::BTreeSet<Index> = changed.iter().map(|&(index, _)| index).collect();
        prop_assert_eq!(&indices, &distinct.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(&opening.siblings, &if indices.is_empty() { vec![] } else { before.siblings(&indices) });
        prop_assert!(opening.records.iter().all(|&(index, record)| record == before.get(index)));
        let after: Vec<_> = indices.iter().map(|&index| (index, tree.get(index))).collect();
        if !indices.is_empty() {
            prop_assert_eq!(root_from(&opening.records, &opening.siblings), Ok(before.root()));
            prop_assert_eq!(root_from(&after, &opening.siblings), Ok(tree.root()));
        }
    }

    #[test]
    fn records_are_proven_and_nothing_else(records in changes(), index in index(), level in 0..DEPTH, element in 0..8usize) {
        let tree = StateTree::from_records(&records);
        let head = Head::genesis(tree.root());
        let proof = tree.prove_record(index);
        prop_assert_eq!(proof.index, index);
        prop_assert_eq!(proof.record, tree.get(index));
        prop_assert_eq!(proof.check(&head), Ok(()));
        let json = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(&serde_json::from_str::<RecordProof>(&json).unwrap(), &proof);

        let refused = |change: &dyn Fn(&mut RecordProof)| {
            let mut proof = proof.clone();
            change(&mut proof);
            let error = RecordProofError { found: proof.root(), expected: head.state_root };
            proof.check(&head) == Err(error) && error.found != error.expected
        };
        prop_assert!(refused(&|proof| proof.record.0[element] += F::ONE));
        prop_assert!(refused(&|proof| proof.siblings[level][element % 4] += F::ONE));
        // The index is bound wherever the two sides of a path differ.
        let path_differs = {
            let mut other = proof.clone();
            other.index ^= 1 << level;
            other.root() != proof.root()
        };
        let is_twin = tree.node(level, index >> level) == proof.siblings[level];
        prop_assert_eq!(path_differs, !is_twin);
        let other = Head { state_root: empty_subtree(0), ..head };
        prop_assert!(proof.check(&other).is_err());
    }
}

#[test]
fn pages_have_names_and_bytes() {
    let tree = StateTree::from_records(&[(0x1234_5678, record(3))]);
    let ids: Vec<PageId> = tree.pages().into_iter().map(|(id, _)| id).collect();
    let expected: Vec<PageId> = (0..8)
        .map(|floor| PageId::new(floor, (0x0123_4567_u64 >> (4 * floor)) as u32).unwrap())
        .collect();
    assert_eq!(ids, expected);
    assert_eq!(pages_on_paths(&[0x1234_5678, 0x1234_567f]), expected);
    assert_eq!(pages_on_paths(&[]), [PageId::TOP]);
    assert_eq!(PageId::new(8, 0), None);
    assert_eq!(PageId::new(7, 1), None);
    assert_eq!(PageId::new(0, 1 << 28), None);
    assert!(PageId::new(0, (1 << 28) - 1).is_some());
    assert_eq!(tree.page(PageId::new(0, 0).unwrap()), None);

    let page = tree.page(expected[0]).unwrap();
    let mut bytes = page.to_bytes();
    assert_eq!(Page::from_bytes(&bytes).as_ref(), Ok(page));
    let short = Page::from_bytes(&bytes[1..]);
    assert_eq!(
        short,
        Err(PageError::Length {
            found: PAGE_BYTES - 1
        })
    );
    bytes[8 * 5..8 * 6].copy_from_slice(&MODULUS.to_le_bytes());
    let error = PageError::NonCanonical {
        position: 5,
        found: MODULUS,
    };
    assert_eq!(Page::from_bytes(&bytes), Err(error));
}
