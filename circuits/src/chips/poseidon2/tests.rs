use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::hash::compress_block;

use super::columns::WIDTH;
use super::rounds::{Registers, permute};
use super::{Poseidon2Chip, Poseidon2Columns, generate};
use crate::chips::Chip;
use crate::error::TraceError;
use crate::testing::{
    ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost, one_constraint_refuses,
    report,
};
use shardfold_protocol::field::F;

const LOG_HEIGHT: usize = 3;

fn inputs() -> Vec<[F; 8]> {
    (0..5)
        .map(|i| core::array::from_fn(|j| F::from_usize(1000 * i + j)))
        .collect()
}

fn chip_trace(inputs: &[[F; 8]]) -> ChipTrace {
    let trace = generate(inputs, LOG_HEIGHT).unwrap();
    ChipTrace::new(Chip::Poseidon2(Poseidon2Chip), trace)
}

fn honest() -> ChipTrace {
    chip_trace(&inputs())
}

fn columns() -> Poseidon2Columns<usize> {
    Poseidon2Columns::of(0..WIDTH)
}

/// Goes on honestly from one register that holds something else.
struct Cheat {
    cells: [F; WIDTH],
    column: usize,
}

impl Registers<usize> for Cheat {
    type Value = F;

    fn hold(&mut self, column: usize, value: F) -> F {
        self.cells[column] = value + F::from_bool(column == self.column);
        self.cells[column]
    }

    fn constant(&self, constant: F) -> F {
        constant
    }
}

/// The honest trace but for this register and what follows from it, with the output.
fn with_another_value_at(column: usize) -> (ChipTrace, [F; 4]) {
    let mut trace = honest();
    let row = trace.trace.row_mut(1);
    let mut cheat = Cheat {
        cells: [F::ZERO; WIDTH],
        column,
    };
    let output = permute(&mut cheat, &columns(), inputs()[1]);
    let registers = columns().beginning[0].cube[0]..columns().multiplicity;
    row[registers.clone()].copy_from_slice(&cheat.cells[registers]);
    let digest = core::array::from_fn(|i| output[i] + inputs()[1][i]);
    (trace, digest)
}

/// Only the constraint on this register is there to refuse.
fn refuses_another_value_at(column: usize) {
    let (trace, digest) = with_another_value_at(column);
    assert_ne!(digest[0], compress_block(&inputs()[1])[0]);

    let report = report(std::slice::from_ref(&trace));
    assert_eq!(report.violations.len(), 1, "{report}");
    constraints_refuse(&[trace]);
}

// Honest.

#[test]
fn compressions_are_accepted() {
    accepts(&[honest()]);
}

#[test]
fn the_messages_are_those_of_the_protocol() {
    let mut expected: Vec<Vec<F>> = inputs()
        .iter()
        .map(|input| input.iter().copied().chain(compress_block(input)).collect())
        .collect();
    expected.sort();
    let report = report(&[honest()]);
    let provided: Vec<Vec<F>> = report.leftovers.into_iter().map(|l| l.fields).collect();
    assert_eq!(provided, expected);
}

#[test]
fn a_table_may_be_lower_than_the_machine_is_wide() {
    let trace = generate(&inputs()[..1], 0).unwrap();
    let first_row = &generate(&inputs(), LOG_HEIGHT).unwrap().values[..WIDTH];
    assert_eq!(trace.values, first_row);
}

#[test]
fn equal_compressions_share_a_row() {
    let [a, b] = [inputs()[0], inputs()[1]];
    let trace = generate(&[a, b, a, a], 1).unwrap();
    let times = trace.values.chunks_exact(WIDTH);
    let times: Vec<F> = times.map(|row| row[columns().multiplicity]).collect();
    assert_eq!(times, [F::from_u8(3), F::ONE]);
    assert_eq!(trace.values[..8], a);
    assert_eq!(trace.values[WIDTH..][..8], b);
}

#[test]
fn too_many_compressions_are_an_error() {
    let error = TraceError::TooManyRows {
        chip: "poseidon2",
        rows: 5,
        capacity: 4,
    };
    assert_eq!(generate(&inputs(), 2), Err(error));
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Poseidon2(Poseidon2Chip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (177, 2, 3));
}

// Cheats.

#[test]
fn a_register_must_be_the_cube() {
    refuses_another_value_at(columns().beginning[0].cube[7]);
    refuses_another_value_at(columns().partial[21].cube);
    refuses_another_value_at(columns().last.cube[3]);
}

#[test]
fn a_full_round_cannot_be_skipped() {
    refuses_another_value_at(columns().beginning[3].post[0]);
    refuses_another_value_at(columns().ending[2].post[7]);
}

#[test]
fn a_partial_round_cannot_be_skipped() {
    refuses_another_value_at(columns().partial[0].post_sbox);
    refuses_another_value_at(columns().partial[21].post_sbox);
}

#[test]
fn no_register_can_hold_something_else() {
    for column in columns().beginning[0].cube[0]..columns().multiplicity {
        let (trace, digest) = with_another_value_at(column);
        assert_ne!(digest, compress_block(&inputs()[1]));
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn a_digest_cannot_be_chosen() {
    for column in columns().last.post {
        let mut trace = honest();
        *trace.cell_mut(1, column) += F::ONE;
        constraints_refuse(&[trace]);
    }
}

#[test]
fn an_input_cannot_be_exchanged_for_another() {
    for column in columns().input {
        let mut trace = honest();
        *trace.cell_mut(1, column) += F::ONE;
        constraints_refuse(&[trace]);
    }
}

#[test]
fn padding_cannot_give_out_something_false() {
    let column = columns();
    let padding = (inputs().len()..1 << LOG_HEIGHT).next().unwrap();
    let cheat = honest().with_cell(padding, column.multiplicity, F::ONE);
    constraints_refuse(&[cheat.with_cell(padding, column.last.post[0], F::ONE)]);
}

#[test]
fn a_compression_that_was_asked_for_must_be_given() {
    let mutated = honest().with_cell(2, columns().multiplicity, F::ZERO);
    bus_refuses("hash", &[honest()], &[mutated]);
}

#[test]
fn one_compression_cannot_stand_for_another() {
    let mut inputs = inputs();
    inputs[2][0] += F::ONE;
    bus_refuses("hash", &[honest()], &[chip_trace(&inputs)]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<crate::testing::Cheat> {
    [
        cheats_of(a_register_must_be_the_cube),
        cheats_of(a_full_round_cannot_be_skipped),
        cheats_of(a_partial_round_cannot_be_skipped),
        cheats_of(no_register_can_hold_something_else),
        cheats_of(a_digest_cannot_be_chosen),
        cheats_of(an_input_cannot_be_exchanged_for_another),
        cheats_of(padding_cannot_give_out_something_false),
        cheats_of(a_compression_that_was_asked_for_must_be_given),
        cheats_of(one_compression_cannot_stand_for_another),
    ]
    .concat()
}
