use p3_field::PrimeCharacteristicRing;

use super::columns::{RangeColumns, WIDTH};
use super::trace::generate;
use super::{LOG_RANGE, RangeChip};
use crate::chips::Chip;
use crate::testing::{Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost};
use shardfold_protocol::field::F;

const ASKED: [u16; 5] = [0, 7, 7, 65_534, 65_535];

fn honest() -> ChipTrace {
    ChipTrace::new(Chip::Range(RangeChip), generate(&ASKED))
}

fn columns() -> RangeColumns<usize> {
    RangeColumns::of(0..WIDTH)
}

// Honest.

#[test]
fn values_asked_for_are_given() {
    accepts(&[honest()]);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Range(RangeChip), LOG_RANGE);
    assert_eq!((cost.main, cost.permutation, cost.degree), (2, 2, 2));
}

// Cheats.

#[test]
fn the_table_cannot_start_at_one() {
    let mut table = honest();
    for row in 0..1 << 16 {
        *table.cell_mut(row, columns().value) += F::ONE;
    }
    constraints_refuse(&[table]);
}

#[test]
fn a_value_cannot_be_smuggled_into_the_table() {
    constraints_refuse(&[honest().with_cell(9, columns().value, F::from_u32(1 << 16))]);
}

#[test]
fn a_value_that_is_not_provided_is_refused() {
    let mutated = honest().with_cell(7, columns().multiplicity, F::ONE);
    bus_refuses("range", &[honest()], &[mutated]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(the_table_cannot_start_at_one),
        cheats_of(a_value_cannot_be_smuggled_into_the_table),
        cheats_of(a_value_that_is_not_provided_is_refused),
    ]
    .concat()
}
