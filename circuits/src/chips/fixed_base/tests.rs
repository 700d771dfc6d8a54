use std::ops::Range;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{
    AffinePoint, F5, GENERATOR, LADDER_OFFSET, Point, Scalar, WINDOW_SIZE, WINDOWS, elements,
    fixed_base_table,
};

use super::FixedBaseChip;
use super::columns::{FixedBaseColumns, WIDTH};
use super::trace::generate;
use crate::cells::write;
use crate::chips::Chip;
use crate::chips::fixed_table::{self, FixedTableChip};
use crate::testing::{
    COEFFICIENTS, Cheat, ChipTrace, accepts, beside, bus_refuses, cheats_of, constraints_refuse,
    cost, nth, only_these_refuse, report, table_refuses, unit,
};
use shardfold_protocol::field::F;

// The numbers of the constraints, in the order of the README.
const WINDOW: Range<usize> = 0..1;
const WITHIN: Range<usize> = 1..11;
const STARTS: Range<usize> = 11..21;

/// The ladder that is tampered with, and a row in its middle.
const LADDER: usize = 1;
const ROW: usize = 13;

fn scalars() -> Vec<Scalar> {
    let words = |seed: u64| core::array::from_fn(|i| F::from_u64(seed).exp_u64(9 + i as u64));
    let random = |seed| Scalar::from_uniform(&words(seed));
    vec![
        Scalar::ZERO,
        random(3),
        Scalar::ZERO - Scalar::ONE,
        random(5),
    ]
}

fn traces() -> [ChipTrace; 2] {
    let (base, _) = generate(&scalars()).unwrap();
    let table = fixed_table::generate(&scalars());
    [
        ChipTrace::new(Chip::FixedBase(FixedBaseChip), base),
        ChipTrace::new(Chip::FixedTable(FixedTableChip), table),
    ]
}

fn honest() -> ChipTrace {
    let [base, _] = traces();
    base
}

fn refused_by(trace: ChipTrace, constraints: Range<usize>) {
    only_these_refuse(&[trace], "fixed_base", constraints);
}

fn addend(ladder: usize, window: usize) -> AffinePoint {
    let digit = usize::from(scalars()[ladder].window(window));
    fixed_base_table()[window * WINDOW_SIZE + digit]
}

/// What each row adds: the points of windows 1 to 31, and the first of the next ladder.
fn addends() -> Vec<AffinePoint> {
    let own = (1..WINDOWS).map(|window| addend(LADDER, window));
    own.chain([addend(LADDER + 1, 0)]).collect()
}

/// Refills a ladder; `tamper` may change the sum and its slope on a row.
fn climb(
    start: AffinePoint,
    addends: &[AffinePoint],
    tamper: impl Fn(usize, &AffinePoint, &mut AffinePoint, &mut F5, &mut AffinePoint),
) -> ChipTrace {
    let mut trace = honest();
    let mut acc = start;
    for (row, addend) in addends.iter().enumerate() {
        let mut addend = *addend;
        let mut slope = acc.add_slope(&addend).unwrap();
        let mut after = acc.add_with_slope(&addend, slope);
        tamper(row, &acc, &mut addend, &mut slope, &mut after);
        let cells = FixedBaseColumns::of(trace.trace.row_mut(LADDER * WINDOWS + row));
        write(cells.x, elements(&acc.x));
        write(cells.y, elements(&acc.y));
        write(cells.addend_x, elements(&addend.x));
        write(cells.slope, elements(&slope));
        acc = after;
    }
    trace
}

// Honest.

#[test]
fn products_of_the_generator_are_proven() {
    let (_, ends) = generate(&scalars()).unwrap();
    for (scalar, end) in scalars().iter().zip(ends) {
        let expected = Point::mul_generator(scalar) + *LADDER_OFFSET;
        assert_eq!(Point::from(end), expected);
    }
    let left = report(&traces()).leftovers;
    assert!(left.iter().all(|left| left.bus == "fixed_base"));
    accepts(&traces());
}

#[test]
fn the_tests_climb_as_the_generator_does() {
    let trace = climb(addend(LADDER, 0), &addends(), |_, _, _, _, _| {});
    assert_eq!(trace.trace, honest().trace);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::FixedBase(FixedBaseChip), 7);
    assert_eq!((cost.main, cost.permutation, cost.degree), (21, 3, 3));
}

// Cheats.

#[test]
fn a_window_taken_twice() {
    let column = FixedBaseColumns::of(0..WIDTH).window;
    let row = LADDER * WINDOWS + ROW;
    let trace = honest().with_cell(row, column, F::from_usize(ROW - 1));
    let violated = report(std::slice::from_ref(&trace)).violations;
    assert!(violated.iter().any(|v| WINDOW.contains(&v.constraint)));
    constraints_refuse(&[trace]);
}

#[test]
fn windows_that_are_numbered_from_one() {
    let mut trace = honest();
    for row in 0..scalars().len() * WINDOWS {
        *trace.cell_mut(row, FixedBaseColumns::of(0..WIDTH).window) += F::ONE;
    }
    refused_by(trace, WINDOW);
}

#[test]
fn a_window_that_is_skipped() {
    let cheat = climb(addend(LADDER, 0), &addends(), |row, acc, _, _, after| {
        if row == ROW {
            *after = *acc;
        }
    });
    refused_by(cheat, WITHIN);
}

#[test]
fn a_step_to_the_negative_point() {
    let cheat = climb(addend(LADDER, 0), &addends(), |row, _, _, _, after| {
        if row == ROW {
            *after = -*after;
        }
    });
    refused_by(cheat, WITHIN);
}

#[test]
fn a_step_to_a_point_with_another_x() {
    for i in 0..COEFFICIENTS {
        let cheat = climb(
            addend(LADDER, 0),
            &addends(),
            |row, acc, _, slope, after| {
                if row == ROW {
                    after.x += unit(i);
                    after.y = *slope * (acc.x - after.x) - acc.y;
                }
            },
        );
        refused_by(cheat, nth(WITHIN, i));
    }
}

#[test]
fn a_step_to_a_point_with_another_y() {
    for i in 0..COEFFICIENTS {
        let cheat = climb(addend(LADDER, 0), &addends(), |row, _, _, _, after| {
            if row == ROW {
                after.y += unit(i);
            }
        });
        refused_by(cheat, nth(WITHIN, COEFFICIENTS + i));
    }
}

#[test]
fn a_ladder_that_starts_with_another_x_or_y() {
    for i in 0..2 * COEFFICIENTS {
        let start = beside(&addend(LADDER, 0), i);
        let cheat = climb(start, &addends(), |_, _, _, _, _| {});
        refused_by(cheat, nth(STARTS, i));
    }
}

#[test]
fn a_product_that_nobody_asked_for() {
    // The last window's point is made to lead beside the honest product.
    let start = addend(LADDER, 0);
    let last = WINDOWS - 2;
    let before = addends()[..last]
        .iter()
        .fold(start, |acc, addend| acc.add_affine(addend).unwrap());
    let product = before.add_affine(&addends()[last]).unwrap();
    for i in 0..2 * COEFFICIENTS {
        let mut addends = addends();
        addends[last] = beside(&product, i).add_affine(&-before).unwrap();
        let mutated = climb(start, &addends, |_, _, _, _, _| {});
        bus_refuses("fixed_base", &[honest()], &[mutated]);
    }
}

#[test]
fn a_point_beside_the_tables() {
    for i in 0..2 * COEFFICIENTS {
        let mut addends = addends();
        addends[ROW] = beside(&addends[ROW], i);
        let mutated = climb(addend(LADDER, 0), &addends, |_, _, _, _, _| {});
        bus_refuses("fixed_table", &[honest()], std::slice::from_ref(&mutated));
        table_refuses("fixed_table", &[mutated]);
    }
}

#[test]
fn a_ladder_that_starts_elsewhere() {
    refused_by(climb(*GENERATOR, &addends(), |_, _, _, _, _| {}), STARTS);
}

#[test]
fn a_digit_of_another_window() {
    // Two windows change positions: the sum is the same.
    let mut swapped = addends();
    swapped.swap(ROW, ROW + 1);
    let [base, table] = traces();
    let mutated = climb(addend(LADDER, 0), &swapped, |_, _, _, _, _| {});
    bus_refuses("fixed_table", &[base, table.clone()], &[mutated, table]);
}

#[test]
fn a_point_that_the_table_does_not_have() {
    // One window gets a point more and another one less: the sum is the same.
    let mut moved = addends();
    moved[ROW] = moved[ROW].add_affine(&GENERATOR).unwrap();
    moved[ROW + 1] = moved[ROW + 1].add_affine(&-*GENERATOR).unwrap();
    let [base, table] = traces();
    let mutated = climb(addend(LADDER, 0), &moved, |_, _, _, _, _| {});
    bus_refuses("fixed_table", &[base, table.clone()], &[mutated, table]);
}

#[test]
fn a_line_through_the_negative_of_the_tables_point() {
    let [base, table] = traces();
    let mut negated = addends();
    negated[ROW] = -negated[ROW];
    let mutated = climb(addend(LADDER, 0), &negated, |_, _, _, _, _| {});
    let report = report(&[mutated, table.clone()]);
    assert!(report.violations.is_empty(), "{report}");
    let asked = report.leftovers.iter().filter(|l| l.bus == "fixed_table");
    assert_eq!(asked.count(), 2, "{report}");
    accepts(&[base, table]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_window_taken_twice),
        cheats_of(windows_that_are_numbered_from_one),
        cheats_of(a_window_that_is_skipped),
        cheats_of(a_step_to_the_negative_point),
        cheats_of(a_step_to_a_point_with_another_x),
        cheats_of(a_step_to_a_point_with_another_y),
        cheats_of(a_ladder_that_starts_with_another_x_or_y),
        cheats_of(a_product_that_nobody_asked_for),
        cheats_of(a_point_beside_the_tables),
        cheats_of(a_ladder_that_starts_elsewhere),
        cheats_of(a_digit_of_another_window),
        cheats_of(a_point_that_the_table_does_not_have),
    ]
    .concat()
}
