use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::record::Record;

use super::columns::WIDTH;
use super::{RecordChip, RecordColumns, TouchedRecord, generate};
use crate::chips::Chip;
use crate::chips::node::tests::siblings_of;
use crate::chips::node::{self, NodeChip};
use crate::chips::poseidon2::{self, Poseidon2Chip};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost, report,
};
use shardfold_protocol::field::F;

const LOG_HEIGHT: usize = 2;

fn record(seed: u64) -> Record {
    Record(core::array::from_fn(|i| F::from_u64(seed * 10 + i as u64)))
}

/// One record that is opened, one that is changed, and one that is only read.
fn records() -> Vec<TouchedRecord> {
    let touched = |index, first, last, last_clock| TouchedRecord {
        index,
        first,
        last,
        last_clock,
    };
    vec![
        touched(3, Record::EMPTY, record(1), 2),
        touched(8, record(2), record(3), 7),
        touched(9, record(4), record(4), 0),
    ]
}

fn chip_trace(records: &[TouchedRecord]) -> ChipTrace {
    let (trace, _) = generate(records, LOG_HEIGHT, &mut LookupEvents::default()).unwrap();
    ChipTrace::new(Chip::Record(RecordChip), trace)
}

fn honest() -> ChipTrace {
    chip_trace(&records())
}

fn columns() -> RecordColumns<usize> {
    RecordColumns::of(0..WIDTH)
}

fn plus_one(column: usize) -> ChipTrace {
    let mut trace = honest();
    *trace.cell_mut(1, column) += F::ONE;
    trace
}

/// The node chip over the honest records, and all compressions that both ask for.
fn nodes_and_requests() -> (ChipTrace, LookupEvents) {
    let mut events = LookupEvents::default();
    let (_, leaves) = generate(&records(), LOG_HEIGHT, &mut events).unwrap();
    let siblings = siblings_of(&leaves);
    let (trace, _) = node::generate(&leaves, &siblings, 7, &mut events).unwrap();
    (ChipTrace::new(Chip::Node(NodeChip), trace), events)
}

fn nodes() -> ChipTrace {
    nodes_and_requests().0
}

// Honest.

#[test]
fn touched_records_are_accepted() {
    accepts(&[honest()]);
}

#[test]
fn records_hang_on_the_tree() {
    let chips = [honest(), nodes()];
    accepts(&chips);
    // Only the root is left on the node bus.
    let report = report(&chips);
    let mut on_node_bus = report.leftovers.iter().filter(|l| l.bus == "node");
    let root = on_node_bus.next().unwrap();
    assert_eq!(root.fields[..2], [F::from_u8(32), F::ZERO]);
    assert_eq!(on_node_bus.next(), None);
}

#[test]
fn with_compressions_only_the_root_and_the_rules_are_missing() {
    let (nodes, events) = nodes_and_requests();
    let compressions = poseidon2::generate(&events.hashes, 8).unwrap();
    let compressions = ChipTrace::new(Chip::Poseidon2(Poseidon2Chip), compressions);
    let chips = [honest(), nodes, compressions];
    accepts(&chips);
    let missing: Vec<String> = report(&chips)
        .leftovers
        .into_iter()
        .map(|l| l.bus)
        .collect();
    // The record that is only read is taken as it was written.
    assert_eq!(missing, ["node", "state", "state", "state", "state"]);
}

#[test]
fn both_digests_of_each_record_are_asked_for() {
    let mut events = LookupEvents::default();
    let (_, leaves) = generate(&records(), LOG_HEIGHT, &mut events).unwrap();
    let expected: Vec<[F; 8]> = records()
        .iter()
        .flat_map(|r| [r.first.0, r.last.0])
        .collect();
    assert_eq!(events.hashes, expected);
    assert_eq!(leaves[1].old, record(2).digest());
    assert_eq!(leaves[1].new, record(3).digest());
}

#[test]
fn too_many_records_are_an_error() {
    let error = TraceError::TooManyRows {
        chip: "record",
        rows: 3,
        log_height: 1,
    };
    let result = generate(&records(), 1, &mut LookupEvents::default());
    assert_eq!(result.unwrap_err(), error);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Record(RecordChip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (27, 4, 3));
}

// Cheats.

#[test]
fn a_row_cannot_be_more_than_real() {
    constraints_refuse(&[honest().with_cell(0, columns().is_real, F::TWO)]);
    constraints_refuse(&[honest().with_cell(3, columns().is_real, F::NEG_ONE)]);
}

#[test]
fn a_record_must_have_its_digest() {
    let columns = columns();
    for column in columns.old.into_iter().chain(columns.new) {
        bus_refuses("hash", &[honest()], &[plus_one(column)]);
    }
}

#[test]
fn a_record_cannot_be_another_for_the_tree_than_for_the_rules() {
    let columns = columns();
    for column in columns.first.into_iter().chain(columns.last) {
        bus_refuses("hash", &[honest()], &[plus_one(column)]);
        bus_refuses("state", &[honest()], &[plus_one(column)]);
    }
}

#[test]
fn the_first_record_cannot_be_invented() {
    let mut records = records();
    records[1].first = record(9);
    bus_refuses("state", &[honest()], &[chip_trace(&records)]);
    bus_refuses("node", &[honest()], &[chip_trace(&records)]);
}

#[test]
fn the_last_record_must_be_the_one_written_last() {
    let mut records = records();
    records[1].last = records[1].first;
    bus_refuses("state", &[honest()], &[chip_trace(&records)]);
    bus_refuses("state", &[honest()], &[plus_one(columns().last_clock)]);
}

#[test]
fn a_record_cannot_be_left_out() {
    let without = honest().with_cell(1, columns().is_real, F::ZERO);
    for bus in ["state", "hash", "node"] {
        bus_refuses(bus, &[honest()], std::slice::from_ref(&without));
    }
}

#[test]
fn a_record_cannot_move() {
    bus_refuses("state", &[honest()], &[plus_one(columns().index)]);
    bus_refuses(
        "node",
        &[honest(), nodes()],
        &[plus_one(columns().index), nodes()],
    );
}

#[test]
fn a_record_cannot_appear_twice() {
    let mut records = records();
    records.push(records[1]);
    let twice = [chip_trace(&records), nodes()];
    bus_refuses("node", &[honest(), nodes()], &twice);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_row_cannot_be_more_than_real),
        cheats_of(a_record_must_have_its_digest),
        cheats_of(a_record_cannot_be_another_for_the_tree_than_for_the_rules),
        cheats_of(the_first_record_cannot_be_invented),
        cheats_of(the_last_record_must_be_the_one_written_last),
        cheats_of(a_record_cannot_be_left_out),
        cheats_of(a_record_cannot_move),
        cheats_of(a_record_cannot_appear_twice),
    ]
    .concat()
}
