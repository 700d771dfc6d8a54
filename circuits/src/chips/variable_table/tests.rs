use std::ops::Range;

use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_protocol::curve::{
    AffinePoint, DIGIT_SIZE, F5, GENERATOR, Point, VARIABLE_BASE_OFFSET, elements,
};
use shardfold_protocol::signature::SecretKey;

use super::VariableTableChip;
use super::columns::{VariableTableColumns, WIDTH};
use super::trace::{Product, generate};
use crate::cells::write;
use crate::chips::Chip;
use crate::error::TraceError;
use crate::testing::{
    COEFFICIENTS, Cheat, ChipTrace, accepts, beside, bus_refuses, cheats_of, constraints_refuse,
    cost, nth, only_these_refuse, report, unit,
};
use shardfold_protocol::field::F;

// The numbers of the constraints, in the order of the README.
const DIGIT: Range<usize> = 0..1;
const PLACES: Range<usize> = 1..3;
const STARTS: Range<usize> = 3..13;
const DISTINCT: Range<usize> = 13..18;
const WITHIN: Range<usize> = 18..28;
const SAME_BASE: Range<usize> = 28..38;

/// The block that is tampered with, and a row in its middle.
const BLOCK: usize = 2;
const ROW: usize = 6;

fn products() -> Vec<Product> {
    let product = |index| Product {
        base: SecretKey::from_index(2, index).public_key().0,
        challenge: 0x0123_4567_89ab_cdef_u128 << (4 * index),
    };
    (0..4).map(product).collect()
}

fn honest() -> ChipTrace {
    let (trace, _) = generate(&products(), products().len()).unwrap();
    ChipTrace::new(Chip::VariableTable(VariableTableChip), trace)
}

fn columns() -> VariableTableColumns<usize> {
    VariableTableColumns::of(0..WIDTH)
}

fn refused_by(trace: ChipTrace, constraints: Range<usize>) {
    only_these_refuse(&[trace], "variable_table", constraints);
}

/// One row as the generator makes it.
#[derive(Clone, Copy)]
struct Line {
    multiple: AffinePoint,
    base: AffinePoint,
    slope: F5,
    inverse: F5,
}

/// Refills a block from its start; `tamper` may change the line of a row.
fn refill(start: AffinePoint, tamper: impl Fn(usize, &mut Line)) -> ChipTrace {
    let mut trace = honest();
    let base = products()[BLOCK].base;
    let mut multiple = start;
    for digit in 0..DIGIT_SIZE {
        let slope = multiple.add_slope(&base).unwrap();
        let inverse = (multiple.x - base.x).inverse();
        let mut line = Line {
            multiple,
            base,
            slope,
            inverse,
        };
        tamper(digit, &mut line);
        let cells = trace.trace.row_mut(BLOCK * DIGIT_SIZE + digit);
        let row = VariableTableColumns::of(cells);
        write(row.x, elements(&line.multiple.x));
        write(row.y, elements(&line.multiple.y));
        write(row.base_x, elements(&line.base.x));
        write(row.slope, elements(&line.slope));
        write(row.inverse, elements(&line.inverse));
        multiple = line.multiple.add_with_slope(&line.base, line.slope);
    }
    trace
}

/// A line through the row's multiple and another point.
fn toward(line: &mut Line, base: AffinePoint) {
    line.base = base;
    line.slope = line.multiple.add_slope(&base).unwrap();
    line.inverse = (line.multiple.x - base.x).inverse();
}

// Honest.

#[test]
fn every_multiple_of_every_key_is_given() {
    let (_, multiples) = generate(&products(), products().len()).unwrap();
    for (product, multiples) in products().iter().zip(multiples) {
        for (digit, multiple) in multiples.into_iter().enumerate() {
            let expected = Point::from(product.base).mul_u128(digit as u128);
            assert_eq!(Point::from(multiple), expected + *VARIABLE_BASE_OFFSET);
        }
    }
    accepts(&[honest()]);
}

#[test]
fn the_tests_refill_as_the_generator_does() {
    assert_eq!(
        refill(*VARIABLE_BASE_OFFSET, |_, _| {}).trace,
        honest().trace
    );
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::VariableTable(VariableTableChip), 6);
    assert_eq!((cost.main, cost.permutation, cost.degree), (28, 3, 3));
}

#[test]
fn a_key_made_from_the_offset_has_no_trace() {
    let base = *VARIABLE_BASE_OFFSET;
    let challenge = 0;
    let result = generate(&[Product { base, challenge }], 1);
    assert_eq!(result.unwrap_err(), TraceError::DegenerateAddition);
}

// Cheats.

#[test]
fn a_multiple_under_another_digit() {
    let mut trace = honest();
    for digit in [ROW, ROW + 1] {
        let column = columns().digit;
        let other = F::from_usize(2 * ROW + 1 - digit);
        *trace.cell_mut(BLOCK * DIGIT_SIZE + digit, column) = other;
    }
    let violated = report(std::slice::from_ref(&trace)).violations;
    assert!(violated.iter().any(|v| DIGIT.contains(&v.constraint)));
    constraints_refuse(&[trace]);
}

#[test]
fn digits_that_are_numbered_from_one() {
    let mut trace = honest();
    for row in 0..products().len() * DIGIT_SIZE {
        *trace.cell_mut(row, columns().digit) += F::ONE;
    }
    refused_by(trace, DIGIT);
}

#[test]
fn places_that_are_numbered_from_one() {
    let mut trace = honest();
    for row in 0..products().len() * DIGIT_SIZE {
        *trace.cell_mut(row, columns().position) += F::ONE;
    }
    refused_by(trace, nth(PLACES, 0));
}

#[test]
fn two_keys_for_one_signature() {
    let mut trace = honest();
    for digit in 0..DIGIT_SIZE {
        *trace.cell_mut(BLOCK * DIGIT_SIZE + digit, columns().position) = F::ONE;
    }
    refused_by(trace, PLACES);
}

#[test]
fn a_block_that_starts_elsewhere() {
    refused_by(refill(*GENERATOR, |_, _| {}), STARTS);
}

#[test]
fn a_block_that_starts_with_another_x_or_y() {
    for i in 0..2 * COEFFICIENTS {
        let start = beside(&VARIABLE_BASE_OFFSET, i);
        refused_by(refill(start, |_, _| {}), nth(STARTS, i));
    }
}

#[test]
fn an_inverse_that_is_none() {
    for i in 0..COEFFICIENTS {
        let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
            if digit == ROW {
                line.inverse *= F5::ONE + unit(i);
            }
        });
        refused_by(cheat, nth(DISTINCT, i));
    }
}

#[test]
fn a_multiple_with_another_x() {
    let base = products()[BLOCK].base;
    let before = generate(&products(), products().len()).unwrap().1[BLOCK][ROW - 1];
    let slope = before.add_slope(&base).unwrap();
    for i in 0..COEFFICIENTS {
        let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
            if digit == ROW {
                let x = line.multiple.x + unit(i);
                let y = slope * (before.x - x) - before.y;
                line.multiple = AffinePoint { x, y };
                toward(line, base);
            }
        });
        refused_by(cheat, nth(WITHIN, i));
    }
}

#[test]
fn a_multiple_with_another_y() {
    let base = products()[BLOCK].base;
    for i in 0..COEFFICIENTS {
        let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
            if digit == ROW {
                line.multiple.y += unit(i);
                toward(line, base);
            }
        });
        refused_by(cheat, nth(WITHIN, COEFFICIENTS + i));
    }
}

#[test]
fn a_key_that_changes_its_x_or_y_on_the_way() {
    let base = products()[BLOCK].base;
    for i in 0..2 * COEFFICIENTS {
        let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
            if digit < ROW {
                toward(line, beside(&base, i));
            }
        });
        refused_by(cheat, nth(SAME_BASE, i));
    }
}

#[test]
fn the_multiples_of_a_point_beside_the_key() {
    let base = products()[BLOCK].base;
    for i in 0..2 * COEFFICIENTS {
        let mutated = refill(*VARIABLE_BASE_OFFSET, |_, line| {
            toward(line, beside(&base, i));
        });
        bus_refuses("base", &[honest()], &[mutated]);
    }
}

#[test]
fn the_multiples_of_another_signatures_key() {
    let mut products = products();
    products.swap(0, BLOCK);
    let (trace, _) = generate(&products, products.len()).unwrap();
    let mutated = ChipTrace::new(Chip::VariableTable(VariableTableChip), trace);
    bus_refuses("base", &[honest()], &[mutated]);
}

#[test]
fn an_addition_of_equal_points_with_a_free_slope() {
    let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
        line.base = *VARIABLE_BASE_OFFSET;
        if digit == 0 {
            (line.slope, line.inverse) = (F5::from_u8(5), F5::ZERO);
        } else {
            toward(line, line.base);
        }
    });
    refused_by(cheat, DISTINCT);
}

#[test]
fn a_multiple_that_is_skipped() {
    let base = products()[BLOCK].base;
    let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
        if digit == ROW {
            line.multiple = line.multiple.add_affine(&base).unwrap();
            toward(line, base);
        }
    });
    refused_by(cheat, WITHIN);
}

#[test]
fn a_key_that_changes_on_the_way() {
    let other = products()[0].base;
    let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
        if digit < ROW {
            toward(line, other);
        }
    });
    refused_by(cheat, SAME_BASE);
}

#[test]
fn a_key_that_changes_its_sign() {
    let base = products()[BLOCK].base;
    let cheat = refill(*VARIABLE_BASE_OFFSET, |digit, line| {
        if digit < ROW {
            toward(line, -base);
        }
    });
    refused_by(cheat, SAME_BASE);
}

#[test]
fn a_multiple_that_is_not_given_out() {
    let row = BLOCK * DIGIT_SIZE + 1;
    let mutated = honest().with_cell(row, columns().multiplicity, F::ZERO);
    bus_refuses("variable_table", &[honest()], &[mutated]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_multiple_under_another_digit),
        cheats_of(digits_that_are_numbered_from_one),
        cheats_of(places_that_are_numbered_from_one),
        cheats_of(two_keys_for_one_signature),
        cheats_of(a_block_that_starts_elsewhere),
        cheats_of(a_block_that_starts_with_another_x_or_y),
        cheats_of(an_inverse_that_is_none),
        cheats_of(a_multiple_with_another_x),
        cheats_of(a_multiple_with_another_y),
        cheats_of(a_key_that_changes_its_x_or_y_on_the_way),
        cheats_of(the_multiples_of_a_point_beside_the_key),
        cheats_of(the_multiples_of_another_signatures_key),
        cheats_of(an_addition_of_equal_points_with_a_free_slope),
        cheats_of(a_multiple_that_is_skipped),
        cheats_of(a_key_that_changes_on_the_way),
        cheats_of(a_key_that_changes_its_sign),
        cheats_of(a_multiple_that_is_not_given_out),
    ]
    .concat()
}
