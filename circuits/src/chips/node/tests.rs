use std::collections::{BTreeMap, BTreeSet};

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use proptest::collection;
use proptest::prelude::*;
use shardfold_protocol::hash::{Digest, compress};
use shardfold_protocol::record::{Index, Record};

use super::columns::WIDTH;
use super::{DEPTH, NodeChip, NodeColumns, TouchedNode, generate};
use crate::chips::Chip;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost, report,
};
use shardfold_protocol::field::F;

const LOG_HEIGHT: usize = 7;
const NODES: usize = 64;

// A tree, written down naively.

type Leaves = BTreeMap<Index, Digest>;

fn leaf(seed: u32) -> Digest {
    Record([F::from_u32(seed); 8]).digest()
}

/// The digest of the node at a position: what lies below it, or else an empty tree.
fn digest_at(leaves: &Leaves, level: usize, index: u64) -> Digest {
    let below = |leaf: Index| u64::from(leaf) >> level == index;
    if !leaves.keys().any(|&leaf| below(leaf)) {
        let empty = Record::EMPTY.digest();
        return (0..level).fold(empty, |digest, _| compress(&digest, &digest));
    }
    if level == 0 {
        return leaves[&Index::try_from(index).unwrap()];
    }
    let children = [2 * index, 2 * index + 1].map(|i| digest_at(leaves, level - 1, i));
    compress(&children[0], &children[1])
}

fn siblings(leaves: &Leaves, touched: &[TouchedNode]) -> Vec<Digest> {
    let mut siblings = vec![];
    for level in 0..DEPTH {
        let on_path: BTreeSet<u64> = touched
            .iter()
            .map(|t| u64::from(t.index) >> level)
            .collect();
        let beside = on_path.iter().map(|i| i ^ 1);
        let beside = beside.filter(|i| !on_path.contains(i));
        siblings.extend(beside.map(|i| digest_at(leaves, level, i)));
    }
    siblings
}

/// Siblings that fit some touched leaves in a tree that holds nothing else.
pub fn siblings_of(touched: &[TouchedNode]) -> Vec<Digest> {
    let leaves = touched.iter().map(|t| (t.index, t.old)).collect();
    siblings(&leaves, touched)
}

/// Six leaves before, of which 6 and the last are changed, 7 is touched and not changed;
/// leaf 5 is new.
fn before() -> Leaves {
    [0, 4, 6, 7, 100, Index::MAX].map(|i| (i, leaf(i))).into()
}

fn after() -> Leaves {
    let mut leaves = before();
    leaves.extend([5, 6, Index::MAX].map(|i| (i, leaf(i - 1))));
    leaves
}

fn touched() -> Vec<TouchedNode> {
    let (before, after) = (before(), after());
    let indices = [5, 6, 7, Index::MAX].into_iter();
    indices
        .map(|index| TouchedNode {
            index,
            old: digest_at(&before, 0, index.into()),
            new: digest_at(&after, 0, index.into()),
        })
        .collect()
}

fn trace() -> (RowMajorMatrix<F>, TouchedNode) {
    let siblings = siblings(&before(), &touched());
    generate(
        &touched(),
        &siblings,
        LOG_HEIGHT,
        &mut LookupEvents::default(),
    )
    .unwrap()
}

fn honest() -> ChipTrace {
    ChipTrace::new(Chip::Node(NodeChip), trace().0)
}

fn columns() -> NodeColumns<usize> {
    NodeColumns::of(0..WIDTH)
}

/// The row of a node.
fn row(level: u32, index: u32) -> usize {
    let trace = trace().0;
    let is_it = |row: &usize| {
        let cells = NodeColumns::of(trace.row_slice(*row).unwrap().to_vec());
        (cells.level, cells.index) == (F::from_u32(level), F::from_u32(index))
    };
    (0..NODES).find(is_it).unwrap()
}

fn plus_one(row: usize, columns: &[usize]) -> ChipTrace {
    let mut trace = honest();
    for &column in columns {
        *trace.cell_mut(row, column) += F::ONE;
    }
    trace
}

// Honest.

#[test]
fn touched_nodes_are_accepted() {
    accepts(&[honest()]);
}

#[test]
fn the_roots_are_those_of_the_whole_trees() {
    let expected = TouchedNode {
        index: 0,
        old: digest_at(&before(), DEPTH, 0),
        new: digest_at(&after(), DEPTH, 0),
    };
    assert_eq!(trace().1, expected);
}

#[test]
fn only_leaves_root_and_hashes_are_left_to_others() {
    let mut events = LookupEvents::default();
    let siblings = siblings(&before(), &touched());
    generate(&touched(), &siblings, LOG_HEIGHT, &mut events).unwrap();
    assert_eq!(events.hashes.len(), 2 * NODES);
    let report = report(&[honest()]);
    let on_node_bus = report.leftovers.iter().filter(|l| l.bus == "node");
    assert_eq!(on_node_bus.count(), touched().len() + 1);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Node(NodeChip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (28, 4, 3));
}

// Malformed witnesses.

fn error_of(leaves: &[TouchedNode], siblings: &[Digest], log_height: usize) -> TraceError {
    generate(leaves, siblings, log_height, &mut LookupEvents::default()).unwrap_err()
}

#[test]
fn a_wrong_number_of_siblings_is_an_error() {
    let mut siblings = siblings(&before(), &touched());
    let expected = siblings.len();
    siblings.push(leaf(0));
    let error = |found| TraceError::SiblingCount { found, expected };
    assert_eq!(
        error_of(&touched(), &siblings, LOG_HEIGHT),
        error(expected + 1)
    );
    siblings.truncate(expected - 1);
    assert_eq!(
        error_of(&touched(), &siblings, LOG_HEIGHT),
        error(expected - 1)
    );
    assert_eq!(error_of(&touched(), &[], LOG_HEIGHT), error(0));
}

#[test]
fn records_out_of_order_are_an_error() {
    let mut leaves = touched();
    leaves[1].index = 5;
    let error = TraceError::Order {
        position: 1,
        found: 5,
        previous: 5,
    };
    assert_eq!(error_of(&leaves, &[], LOG_HEIGHT), error);
    leaves.reverse();
    assert!(matches!(
        error_of(&leaves, &[], LOG_HEIGHT),
        TraceError::Order { position: 1, .. }
    ));
}

#[test]
fn no_records_are_an_error() {
    assert_eq!(error_of(&[], &[], LOG_HEIGHT), TraceError::NoRecords);
}

#[test]
fn too_many_nodes_are_an_error() {
    let siblings = siblings(&before(), &touched());
    let error = TraceError::TooManyRows {
        chip: "node",
        rows: NODES,
        capacity: 32,
    };
    assert_eq!(error_of(&touched(), &siblings, 5), error);
    assert!(generate(&touched(), &siblings, 6, &mut LookupEvents::default()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_leaves_climb_to_the_roots_of_the_whole_trees(
        near in collection::btree_set(0_u32..16, 1..6),
        far in collection::btree_set(any::<Index>(), 0..4),
    ) {
        let indices: BTreeSet<Index> = near.union(&far).copied().collect();
        let mut leaves = before();
        let old: Vec<Digest> = indices.iter().map(|&i| digest_at(&leaves, 0, i.into())).collect();
        let before = leaves.clone();
        leaves.extend(indices.iter().map(|&i| (i, leaf(i ^ 0x55))));
        let touched: Vec<TouchedNode> = indices
            .iter()
            .zip(old)
            .map(|(&index, old)| TouchedNode { index, old, new: leaves[&index] })
            .collect();

        let siblings = siblings(&before, &touched);
        let (trace, root) = generate(&touched, &siblings, 9, &mut LookupEvents::default()).unwrap();
        prop_assert_eq!(root.old, digest_at(&before, DEPTH, 0));
        prop_assert_eq!(root.new, digest_at(&leaves, DEPTH, 0));
        let report = report(&[ChipTrace::new(Chip::Node(NodeChip), trace)]);
        prop_assert!(report.violations.is_empty());
        let on_node_bus = report.leftovers.iter().filter(|l| l.bus == "node");
        prop_assert_eq!(on_node_bus.count(), touched.len() + 1);
    }

    #[test]
    fn malformed_witnesses_do_not_panic(
        indices in collection::vec(0_u32..8, 0..6),
        siblings in 0_usize..80,
        log_height in 0_usize..8,
    ) {
        let digest = leaf(0);
        let leaves: Vec<TouchedNode> = indices
            .into_iter()
            .map(|index| TouchedNode { index, old: digest, new: digest })
            .collect();
        let siblings = vec![digest; siblings];
        // Most are errors; what matters is that all return.
        let _ = generate(&leaves, &siblings, log_height, &mut LookupEvents::default());
    }
}

// Cheats.

#[test]
fn a_child_cannot_be_taken_twice() {
    // These two keep their digests, so only the flag is wrong.
    let columns = columns();
    let (left, right) = (columns.left.is_touched, columns.right.is_touched);
    constraints_refuse(&[honest().with_cell(row(1, 2), left, F::TWO)]);
    constraints_refuse(&[honest().with_cell(row(1, 3), right, F::TWO)]);
}

#[test]
fn an_untouched_child_cannot_change() {
    for column in columns().left.new {
        constraints_refuse(&[plus_one(row(1, 2), &[column])]);
    }
    for column in columns().right.new {
        constraints_refuse(&[plus_one(row(4, 0), &[column])]);
    }
}

#[test]
fn a_digest_must_be_the_compression_of_the_children() {
    let columns = columns();
    for column in columns.old.into_iter().chain(columns.new) {
        bus_refuses("hash", &[honest()], &[plus_one(3, &[column])]);
    }
}

#[test]
fn an_untouched_sibling_cannot_be_exchanged() {
    let left = columns().left;
    let mutated = plus_one(row(1, 2), &[left.old[0], left.new[0]]);
    bus_refuses("hash", &[honest()], &[mutated]);
}

#[test]
fn a_touched_child_cannot_be_passed_over() {
    // Leaf 7 does not change, so the row itself is in order.
    let mutated = honest().with_cell(row(1, 3), columns().right.is_touched, F::ZERO);
    bus_refuses("node", &[honest()], &[mutated]);
}

#[test]
fn a_child_cannot_change_on_its_way_up() {
    let mutated = plus_one(row(1, 3), &[columns().left.new[0]]);
    bus_refuses("node", &[honest()], &[mutated]);
}

#[test]
fn each_child_is_taken_as_it_was_sent() {
    let columns = columns();
    for child in [columns.left, columns.right] {
        for column in child.old.into_iter().chain(child.new) {
            bus_refuses("node", &[honest()], &[plus_one(row(1, 3), &[column])]);
        }
    }
}

#[test]
fn a_digest_cannot_change_on_its_way_up() {
    let columns = columns();
    for column in columns.old.into_iter().chain(columns.new) {
        bus_refuses("node", &[honest()], &[plus_one(row(9, 0), &[column])]);
    }
}

#[test]
fn a_node_cannot_stand_in_another_place() {
    for column in [columns().level, columns().index] {
        bus_refuses("node", &[honest()], &[plus_one(row(9, 0), &[column])]);
    }
}

#[test]
fn a_path_cannot_be_climbed_twice() {
    let mut mutated = honest();
    let (rows, padding) = mutated.trace.values.split_at_mut(NODES * WIDTH);
    padding.copy_from_slice(rows);
    bus_refuses("node", &[honest()], &[mutated]);
}

#[test]
fn a_row_that_touches_nothing_says_nothing() {
    let columns = columns();
    let mut padded = honest();
    *padded.cell_mut(NODES, columns.level) = F::from_usize(DEPTH);
    for column in columns.old.into_iter().chain(columns.new) {
        *padded.cell_mut(NODES, column) = F::from_usize(column);
    }
    assert_eq!(report(&[padded]), report(&[honest()]));
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_child_cannot_be_taken_twice),
        cheats_of(an_untouched_child_cannot_change),
        cheats_of(a_digest_must_be_the_compression_of_the_children),
        cheats_of(an_untouched_sibling_cannot_be_exchanged),
        cheats_of(a_touched_child_cannot_be_passed_over),
        cheats_of(a_child_cannot_change_on_its_way_up),
        cheats_of(each_child_is_taken_as_it_was_sent),
        cheats_of(a_digest_cannot_change_on_its_way_up),
        cheats_of(a_node_cannot_stand_in_another_place),
        cheats_of(a_path_cannot_be_climbed_twice),
    ]
    .concat()
}
