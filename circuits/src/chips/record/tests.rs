use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{KIND_VAULT, Record};

use super::columns::WIDTH;
use super::{RecordChip, RecordColumns, TouchedRecord, generate};
use crate::chips::Chip;
use crate::chips::fixture::data_after;
use crate::chips::node::tests::siblings_of;
use crate::chips::node::{self, NodeChip};
use crate::chips::poseidon2::{self, Poseidon2Chip};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost, report,
};
use shardfold_protocol::field::F;

mod differences;

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

/// The chain of differences before.
const DATA: Digest = [F::TWO; 4];

fn chip_trace(records: &[TouchedRecord]) -> ChipTrace {
    trace_of(records, LOG_HEIGHT)
}

fn trace_of(records: &[TouchedRecord], log_height: usize) -> ChipTrace {
    let mut events = LookupEvents::default();
    let (trace, _) = generate(records, &DATA, log_height, &mut events).unwrap();
    let values = [DATA, data_after(&DATA, records)].concat();
    ChipTrace::with_public_values(Chip::Record(RecordChip), trace, values)
}

fn honest() -> ChipTrace {
    chip_trace(&records())
}

/// The last record is written as it was.
fn written() -> ChipTrace {
    honest().with_cell(2, columns().last_clock, F::from_u8(5))
}

fn columns() -> RecordColumns<usize> {
    RecordColumns::of(0..WIDTH)
}

/// The second row with one cell more by one, and a witness for it.
fn plus_one(column: usize) -> ChipTrace {
    let mut trace = honest();
    *trace.cell_mut(1, column) += F::ONE;
    settle(&mut trace, 1);
    trace
}

/// A row whose witness fits what else it says.
fn settle(trace: &mut ChipTrace, row: usize) {
    let columns = columns();
    let mut cell = |column| *trace.cell_mut(row, column);
    let kind = cell(columns.first[0]) - F::from_u64(KIND_VAULT) + cell(columns.is_vault);
    let differences = columns.new.map(&mut cell);
    let mut pairs = differences.into_iter().zip(columns.old.map(&mut cell));
    let found = pairs.position(|(new, old)| new != old).unwrap_or_default();
    let difference = cell(columns.new[found]) - cell(columns.old[found]);
    for column in columns.witness {
        *trace.cell_mut(row, column) = F::ZERO;
    }
    let inverse = (difference * kind).try_inverse().unwrap_or_default();
    *trace.cell_mut(row, columns.witness[found]) = inverse;
}

/// The node chip over the honest records, and all compressions that both ask for.
fn nodes_and_requests() -> (ChipTrace, LookupEvents) {
    let mut events = LookupEvents::default();
    let (_, leaves) = generate(&records(), &DATA, LOG_HEIGHT, &mut events).unwrap();
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
    let missing = report(&chips).leftovers.into_iter().map(|l| l.bus);
    let missing: Vec<String> = missing.filter(|bus| bus != "range").collect();
    // The record that is only read is taken as it was written.
    assert_eq!(missing, ["node", "state", "state", "state", "state"]);
}

#[test]
fn both_digests_of_each_record_are_asked_for() {
    let mut events = LookupEvents::default();
    let (_, leaves) = generate(&records(), &DATA, LOG_HEIGHT, &mut events).unwrap();
    let expected: Vec<[F; 8]> = records()
        .iter()
        .flat_map(|r| [r.first.0, r.last.0])
        .collect();
    assert_eq!(events.hashes[..6], expected);
    assert_eq!(leaves[1].old, record(2).digest());
    assert_eq!(leaves[1].new, record(3).digest());
}

#[test]
fn too_many_records_are_an_error() {
    let error = TraceError::TooManyRows {
        chip: "record",
        rows: 3,
        capacity: 2,
    };
    let result = generate(&records(), &DATA, 1, &mut LookupEvents::default());
    assert_eq!(result.unwrap_err(), error);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Record(RecordChip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (48, 9, 3));
}

// Cheats.

#[test]
fn a_row_cannot_be_more_than_real() {
    constraints_refuse(&[honest().with_cell(2, columns().is_real, F::TWO)]);
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
    let without = written().with_cell(2, columns().is_real, F::ZERO);
    for bus in ["state", "hash", "node"] {
        bus_refuses(bus, &[written()], std::slice::from_ref(&without));
    }
}

#[test]
fn a_record_cannot_move() {
    let moved = written().with_cell(2, columns().index, F::from_u8(10));
    bus_refuses("state", &[written()], std::slice::from_ref(&moved));
    bus_refuses("node", &[written(), nodes()], &[moved, nodes()]);
}

#[test]
fn a_record_cannot_appear_twice() {
    let mut records = records();
    records.push(records[2]);
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
        differences::cheats(),
    ]
    .concat()
}
