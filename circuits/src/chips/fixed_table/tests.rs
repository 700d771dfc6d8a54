use p3_air::BaseAir;
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{Scalar, WINDOW_SIZE, WINDOWS, elements, fixed_base_table};

use super::columns::{FixedTableColumns, FixedTableEntry, PREPROCESSED_WIDTH, WIDTH};
use super::trace::generate;
use super::{FixedTableChip, LOG_HEIGHT};
use crate::chips::Chip;
use crate::testing::{Cheat, ChipTrace, accepts, bus_refuses, cheats_of, cost};
use shardfold_protocol::field::F;

fn honest() -> ChipTrace {
    let trace = generate(&[Scalar::ZERO, Scalar::ONE]);
    ChipTrace::new(Chip::FixedTable(FixedTableChip), trace)
}

#[test]
fn points_looked_up_are_given() {
    accepts(&[honest()]);
}

#[test]
fn the_entries_are_the_protocols() {
    let preprocessed = FixedTableChip.preprocessed_trace().unwrap();
    let rows = preprocessed.values.chunks_exact(PREPROCESSED_WIDTH);
    assert_eq!(rows.len(), 2 * WINDOWS * WINDOW_SIZE);
    assert_eq!(rows.len(), 1 << LOG_HEIGHT);
    let twice = fixed_base_table().iter().cycle();
    for (i, (row, point)) in rows.zip(twice).enumerate() {
        let entry = FixedTableEntry::of(row.iter().copied());
        assert_eq!(entry.window, F::from_usize(i / WINDOW_SIZE % WINDOWS));
        assert_eq!(entry.x, elements(&point.x));
        assert_eq!(entry.y, elements(&point.y));
    }
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::FixedTable(FixedTableChip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (1, 2, 2));
}

#[test]
fn a_point_that_is_not_given_out() {
    let column = FixedTableColumns::of(0..WIDTH).multiplicity;
    let mutated = honest().with_cell(1, column, F::ZERO);
    bus_refuses("fixed_table", &[honest()], &[mutated]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [cheats_of(a_point_that_is_not_given_out)].concat()
}
