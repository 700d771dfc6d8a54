use std::ops::Range;

use p3_field::{Field, PrimeCharacteristicRing};
use shardfold_protocol::curve::{
    AffinePoint, DIGITS, F5, GENERATOR, LADDER_OFFSET, Point, VARIABLE_BASE_OFFSET, elements,
};
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::signature::SecretKey;

use super::VariableBaseChip;
use super::columns::{VariableBaseColumns, WIDTH};
use super::trace::{Step, generate, steps, witness, write_step};
use crate::chips::Chip;
use crate::chips::variable_table::{self, Product, VariableTableChip};
use crate::testing::{
    COEFFICIENTS, Cheat, ChipTrace, accepts, beside, bus_refuses, cheats_of, constraints_refuse,
    cost, nth, only_these_refuse, report, unit,
};
use shardfold_protocol::field::F;

// The numbers of the constraints, in the order of the README.
const IS_LAST: Range<usize> = 0..1;
const PLACES: Range<usize> = 1..3;
const HIGH: Range<usize> = 3..4;
const UPPER: Range<usize> = 4..6;
const CANONICAL: Range<usize> = 6..7;
const DOUBLINGS: Range<usize> = 7..37;
const DISTINCT: Range<usize> = 37..42;
const SUM: Range<usize> = 42..47;
const WITHIN: Range<usize> = 47..57;
const STARTS: Range<usize> = 57..67;

/// The ladder that is tampered with, and a row in its middle.
const LADDER: usize = 1;
const ROW: usize = 11;

fn halves(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// Challenges with both halves at their edges.
fn products() -> Vec<Product> {
    let challenges = [
        0,
        halves(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
        halves(MODULUS - 1, MODULUS - 1),
        halves(0xffff_fffe_ffff_ffff, 1),
    ];
    let product = |(index, challenge)| Product {
        base: SecretKey::from_index(1, index).public_key().0,
        challenge,
    };
    (0..).zip(challenges).map(product).collect()
}

fn traces(products: &[Product]) -> [ChipTrace; 2] {
    let (table, multiples) = variable_table::generate(products, products.len()).unwrap();
    let (base, _) = generate(products, &multiples, 0).unwrap();
    [
        ChipTrace::new(Chip::VariableBase(VariableBaseChip { first: 0 }), base),
        ChipTrace::new(Chip::VariableTable(VariableTableChip), table),
    ]
}

fn honest() -> ChipTrace {
    let [base, _] = traces(&products());
    base
}

fn columns() -> VariableBaseColumns<usize> {
    VariableBaseColumns::of(0..WIDTH)
}

fn refused_by(trace: ChipTrace, constraints: Range<usize>) {
    only_these_refuse(&[trace], "variable_base", constraints);
}

/// A ladder that takes the multiples of `addends`, except that `tamper` may change a step.
fn climb(
    trace: &mut ChipTrace,
    start: AffinePoint,
    addends: &[AffinePoint],
    tamper: impl Fn(usize, &AffinePoint, &mut AffinePoint, &mut Step),
) {
    let mut acc = start;
    for (row, addend) in addends.iter().enumerate() {
        let mut addend = *addend;
        let mut step = steps(&[acc], &[addend]).unwrap()[0];
        tamper(row, &acc, &mut addend, &mut step);
        let cells = trace.trace.row_mut(LADDER * DIGITS + row);
        write_step(cells, &acc, &addend, &step);
        acc = step.after;
    }
}

/// What each row of the ladder adds: the multiples of its digits but the first, and the
/// first of the next ladder.
fn addends() -> Vec<AffinePoint> {
    let products = products();
    let (_, multiples) = variable_table::generate(&products, products.len()).unwrap();
    let of = |ladder: usize, index| multiples[ladder][products[ladder].digit(index)];
    let own = (1..DIGITS).map(|index| of(LADDER, index));
    own.chain([of(LADDER + 1, 0)]).collect()
}

fn start() -> AffinePoint {
    let products = products();
    let (_, multiples) = variable_table::generate(&products, products.len()).unwrap();
    multiples[LADDER][products[LADDER].digit(0)]
}

// Honest.

#[test]
fn products_of_keys_and_challenges_are_proven() {
    let products = products();
    let (_, multiples) = variable_table::generate(&products, products.len()).unwrap();
    let (_, ends) = generate(&products, &multiples, 0).unwrap();
    for (product, end) in products.iter().zip(ends) {
        let multiple = Point::from(product.base).mul_u128(product.challenge);
        assert_eq!(Point::from(end), multiple + *LADDER_OFFSET);
    }
    let traces = traces(&products);
    let left = report(&traces).leftovers;
    assert!(
        left.iter()
            .all(|l| l.bus == "base" || l.bus == "variable_base")
    );
    accepts(&traces);
}

#[test]
fn the_tests_climb_as_the_generator_does() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |_, _, _, _| {});
    assert_eq!(trace.trace, honest().trace);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::VariableBase(VariableBaseChip { first: 0 }), 7);
    assert_eq!((cost.main, cost.permutation, cost.degree), (65, 3, 3));
}

// Cheats with the ladder's order.

#[test]
fn a_ladder_that_ends_early() {
    let trace = honest().with_cell(LADDER * DIGITS + ROW, columns().is_last, F::ONE);
    constraints_refuse(&[trace]);
}

#[test]
fn a_ladder_that_starts_within_another() {
    // It ends and starts in the middle, with its own position, and everything else follows.
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, addend, step| {
        if row == ROW {
            step.after = *addend;
        }
    });
    *trace.cell_mut(LADDER * DIGITS + ROW, columns().is_last) = F::ONE;
    for row in LADDER * DIGITS + ROW + 1..4 * DIGITS {
        *trace.cell_mut(row, columns().position) += F::ONE;
    }
    refused_by(trace, IS_LAST);
}

#[test]
fn a_product_that_is_not_given_out() {
    let trace = honest().with_cell(LADDER * DIGITS + 31, columns().is_last, F::ZERO);
    let violated = report(std::slice::from_ref(&trace)).violations;
    assert!(violated.iter().any(|v| IS_LAST.contains(&v.constraint)));
    constraints_refuse(&[trace]);
}

#[test]
fn a_ladder_for_another_signature() {
    let mut trace = honest();
    for row in 0..DIGITS {
        *trace.cell_mut(LADDER * DIGITS + row, columns().position) = F::TWO;
    }
    refused_by(trace, PLACES);
}

#[test]
fn ladders_that_are_numbered_from_one() {
    let mut trace = honest();
    for row in 0..4 * DIGITS {
        *trace.cell_mut(row, columns().position) += F::ONE;
    }
    refused_by(trace, PLACES);
}

#[test]
fn a_second_table_goes_on_counting() {
    let products = products();
    let (_, multiples) = variable_table::generate(&products, products.len()).unwrap();
    let table = |first: usize| {
        let (products, multiples) = (&products[first..first + 2], &multiples[first..first + 2]);
        let (trace, _) = generate(products, multiples, first).unwrap();
        trace
    };
    let chip = |first| Chip::VariableBase(VariableBaseChip { first });
    for first in [0, 2] {
        let trace = ChipTrace::new(chip(first), table(first as usize));
        assert_eq!(report(std::slice::from_ref(&trace)).violations.len(), 0);
    }
    // The second table's ladders under the first one's numbers, and the reverse.
    refused_by(ChipTrace::new(chip(0), table(2)), PLACES);
    refused_by(ChipTrace::new(chip(2), table(0)), PLACES);
}

// Cheats with the challenge.

fn challenge_is_refused(challenge: u128) {
    let mut products = products();
    products[LADDER].challenge = challenge;
    let [base, _] = traces(&products);
    refused_by(base, CANONICAL);
}

#[test]
fn a_low_half_plus_p() {
    challenge_is_refused(halves(5, 7 + MODULUS));
    challenge_is_refused(halves(5, MODULUS));
}

#[test]
fn a_high_half_plus_p() {
    challenge_is_refused(halves(7 + MODULUS, 5));
    challenge_is_refused(halves(u64::MAX, 0));
}

#[test]
fn a_high_half_of_the_provers_choice() {
    let mut trace = honest();
    let rows = || (DIGITS / 2..DIGITS).map(|row| LADDER * DIGITS + row);
    for row in rows() {
        *trace.cell_mut(row, columns().high) += F::ONE;
    }
    make_low_half_canonical(&mut trace);
    refused_by(trace, HIGH);
}

#[test]
fn a_high_half_that_is_there_too_early() {
    let mut trace = honest();
    for row in 0..DIGITS / 2 {
        *trace.cell_mut(LADDER * DIGITS + row, columns().high) = F::ONE;
    }
    // The high half's witness for this u.
    let cell =
        |row: usize, column: usize| trace.trace.values[(LADDER * DIGITS + row) * WIDTH + column];
    let (upper, scalar) = (cell(15, columns().upper), cell(15, columns().scalar));
    let two_32 = F::from_u64(1 << 32);
    let t = (scalar - upper * two_32) / (two_32 - F::ONE - (upper - two_32));
    *trace.cell_mut(LADDER * DIGITS + 16, columns().upper) = t;
    refused_by(trace, HIGH);
}

/// Sets the low half's witness to what the other columns ask for.
fn make_low_half_canonical(trace: &mut ChipTrace) {
    let last = LADDER * DIGITS + DIGITS - 1;
    let cell = |column: usize| trace.trace.values[last * WIDTH + column];
    let two_32 = F::from_u64(1 << 32);
    let u = cell(columns().upper) - cell(columns().high) * two_32;
    let l = cell(columns().scalar) - cell(columns().upper) * two_32;
    *trace.cell_mut(last + 1, columns().upper) = l / (two_32 - F::ONE - u);
}

#[test]
fn an_upper_part_of_the_provers_choice() {
    // With it a half plus p would pass.
    let mut products = products();
    products[LADDER].challenge = halves(5, 7 + MODULUS);
    let [mut base, _] = traces(&products);
    for row in 24..DIGITS {
        *base.cell_mut(LADDER * DIGITS + row, columns().upper) -= F::ONE;
    }
    make_low_half_canonical(&mut base);
    refused_by(base, UPPER);
}

#[test]
fn an_upper_part_that_changes_on_the_way() {
    let mut products = products();
    products[LADDER].challenge = halves(5, 7 + MODULUS);
    let [mut base, _] = traces(&products);
    *base.cell_mut(LADDER * DIGITS + DIGITS - 1, columns().upper) -= F::ONE;
    make_low_half_canonical(&mut base);
    refused_by(base, UPPER);
}

#[test]
fn the_witness_of_a_half_exists_exactly_for_canonical_ones() {
    let solves = |half: u64| {
        let (u, l) = (half >> 32, half & 0xffff_ffff);
        let room = F::from_u64(0xffff_ffff) - F::from_u64(u);
        room * witness(half) == F::from_u64(l)
    };
    assert!(
        [0, 1, 1 << 32, MODULUS - 2, MODULUS - 1]
            .into_iter()
            .all(solves)
    );
    assert!(![MODULUS, MODULUS + 1, u64::MAX].into_iter().any(solves));
}

// Cheats with points.

#[test]
fn a_ladder_that_skips_a_doubling() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, addend, step| {
        if row == ROW {
            // The third doubling leaves x where it is; its y is then that of -4 acc.
            let fourfold = step.doublings[1].1;
            step.doublings[2].1 = -fourfold;
            add(step, addend);
        }
    });
    refused_by(trace, DOUBLINGS);
}

#[test]
fn a_doubling_along_another_line() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, acc, addend, step| {
        if row == ROW {
            let slope = step.doublings[0].0 + F5::ONE;
            let mut point = acc.add_with_slope(acc, slope);
            step.doublings[0] = (slope, point);
            for doubling in &mut step.doublings[1..] {
                let slope = point.double_slope().unwrap();
                point = point.add_with_slope(&point, slope);
                *doubling = (slope, point);
            }
            add(step, addend);
        }
    });
    refused_by(trace, DOUBLINGS);
}

/// A ladder in which one doubling is changed and the others follow from it.
fn with_doubling(
    number: usize,
    tamper: impl Fn(&AffinePoint, &mut F5, &mut AffinePoint),
) -> ChipTrace {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, acc, addend, step| {
        if row == ROW {
            let mut point = *acc;
            for (n, (slope, doubled)) in step.doublings.iter_mut().enumerate() {
                *slope = point.double_slope().unwrap();
                *doubled = point.add_with_slope(&point, *slope);
                if n == number {
                    tamper(&point, slope, doubled);
                }
                point = *doubled;
            }
            add(step, addend);
        }
    });
    trace
}

#[test]
fn any_doubling_along_another_line() {
    for (number, i) in (0..3).flat_map(|number| (0..COEFFICIENTS).map(move |i| (number, i))) {
        let cheat = with_doubling(number, |point, slope, doubled| {
            *slope += unit(i) / point.y.double();
            *doubled = point.add_with_slope(point, *slope);
        });
        refused_by(cheat, nth(DOUBLINGS, 2 * COEFFICIENTS * number + i));
    }
}

#[test]
fn any_doubling_to_another_x() {
    for (number, i) in (0..3).flat_map(|number| (0..COEFFICIENTS).map(move |i| (number, i))) {
        let cheat = with_doubling(number, |point, slope, doubled| {
            doubled.x += unit(i);
            doubled.y = *slope * (point.x - doubled.x) - point.y;
        });
        let position = 2 * COEFFICIENTS * number + COEFFICIENTS + i;
        refused_by(cheat, nth(DOUBLINGS, position));
    }
}

#[test]
fn an_inverse_that_is_none() {
    for i in 0..COEFFICIENTS {
        let mut trace = honest();
        climb(&mut trace, start(), &addends(), |row, _, _, step| {
            if row == ROW {
                step.inverse *= F5::ONE + unit(i);
            }
        });
        refused_by(trace, nth(DISTINCT, i));
    }
}

#[test]
fn a_step_whose_second_line_misses_in_one_coefficient() {
    for i in 0..COEFFICIENTS {
        let mut trace = honest();
        climb(&mut trace, start(), &addends(), |row, _, addend, step| {
            if row == ROW {
                let doubled = step.doublings[2].1;
                let sum = doubled.add_with_slope(addend, step.sum_slope);
                step.step_slope += unit(i) / (doubled.x - sum.x);
                step.after = doubled.add_with_slope(&sum, step.step_slope);
            }
        });
        refused_by(trace, nth(SUM, i));
    }
}

#[test]
fn a_step_to_a_point_with_another_x() {
    for i in 0..COEFFICIENTS {
        let mut trace = honest();
        climb(&mut trace, start(), &addends(), |row, _, _, step| {
            if row == ROW {
                let doubled = step.doublings[2].1;
                let x = step.after.x + unit(i);
                let y = step.step_slope * (doubled.x - x) - doubled.y;
                step.after = AffinePoint { x, y };
            }
        });
        refused_by(trace, nth(WITHIN, i));
    }
}

#[test]
fn a_step_to_a_point_with_another_y() {
    for i in 0..COEFFICIENTS {
        let mut trace = honest();
        climb(&mut trace, start(), &addends(), |row, _, _, step| {
            if row == ROW {
                step.after.y += unit(i);
            }
        });
        refused_by(trace, nth(WITHIN, COEFFICIENTS + i));
    }
}

#[test]
fn a_ladder_that_starts_with_another_x_or_y() {
    for i in 0..2 * COEFFICIENTS {
        let mut trace = honest();
        climb(&mut trace, beside(&start(), i), &addends(), |_, _, _, _| {});
        refused_by(trace, nth(STARTS, i));
    }
}

/// The rest of a step whose doublings were changed.
fn add(step: &mut Step, addend: &AffinePoint) {
    let doubled = step.doublings[2].1;
    step.sum_slope = doubled.add_slope(addend).unwrap();
    step.inverse = (doubled.x - addend.x).inverse();
    let sum = doubled.add_with_slope(addend, step.sum_slope);
    step.step_slope = doubled.add_slope(&sum).unwrap();
    step.after = doubled.add_with_slope(&sum, step.step_slope);
}

#[test]
fn an_addition_of_equal_points_with_a_free_slope() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, addend, step| {
        if row == ROW {
            let doubled = step.doublings[2].1;
            *addend = doubled;
            (step.inverse, step.sum_slope) = (F5::ZERO, F5::from_u8(5));
            let sum = doubled.add_with_slope(&doubled, step.sum_slope);
            step.step_slope = doubled.y.double() / (doubled.x - sum.x) - step.sum_slope;
            step.after = doubled.add_with_slope(&sum, step.step_slope);
        }
    });
    refused_by(trace, DISTINCT);
}

#[test]
fn a_step_along_another_line() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, addend, step| {
        if row == ROW {
            let doubled = step.doublings[2].1;
            let sum = doubled.add_with_slope(addend, step.sum_slope);
            step.step_slope += F5::ONE;
            step.after = doubled.add_with_slope(&sum, step.step_slope);
        }
    });
    refused_by(trace, SUM);
}

#[test]
fn a_step_to_another_point() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, _, step| {
        if row == ROW {
            step.after = *GENERATOR;
        }
    });
    refused_by(trace, WITHIN);
}

#[test]
fn a_step_to_the_negative_point() {
    let mut trace = honest();
    climb(&mut trace, start(), &addends(), |row, _, _, step| {
        if row == ROW {
            step.after = -step.after;
        }
    });
    refused_by(trace, WITHIN);
}

#[test]
fn a_ladder_that_starts_elsewhere() {
    let mut trace = honest();
    climb(&mut trace, *GENERATOR, &addends(), |_, _, _, _| {});
    refused_by(trace, STARTS);
}

#[test]
fn the_first_ladder_too_starts_with_a_multiple() {
    let mut trace = honest();
    for (column, value) in columns().x.into_iter().zip(elements(&GENERATOR.x)) {
        *trace.cell_mut(0, column) = value;
    }
    let violations = report(std::slice::from_ref(&trace)).violations;
    let refused = |v: &crate::check::Violation| v.row == 127 && STARTS.contains(&v.constraint);
    assert!(violations.iter().any(refused));
    constraints_refuse(&[trace]);
}

// Cheats that the table refuses.

#[test]
fn a_digit_above_fifteen() {
    // Digits d - 1 and d' + 16 instead of d and d': the same challenge and product.
    let (products, mut addends) = (products(), addends());
    let multiple = |digit: usize| {
        let multiple = Point::from(products[LADDER].base).mul_u128(digit as u128);
        (multiple + *VARIABLE_BASE_OFFSET).to_affine().unwrap()
    };
    addends[ROW - 1] = multiple(products[LADDER].digit(ROW) - 1);
    addends[ROW] = multiple(products[LADDER].digit(ROW + 1) + 16);
    let [base, table] = traces(&products);
    let mut mutated = base.clone();
    climb(&mut mutated, start(), &addends, |_, _, _, _| {});
    *mutated.cell_mut(LADDER * DIGITS + ROW, columns().scalar) -= F::ONE;
    // `upper` of rows 8 to 15 is the scalar of row 7 and stays.
    bus_refuses("variable_table", &[base, table.clone()], &[mutated, table]);
}

#[test]
fn a_multiple_of_another_digit() {
    let mut addends = addends();
    addends.swap(ROW, ROW + 1);
    let [base, table] = traces(&products());
    let mut mutated = base.clone();
    climb(&mut mutated, start(), &addends, |_, _, _, _| {});
    bus_refuses("variable_table", &[base, table.clone()], &[mutated, table]);
}

#[test]
fn a_multiple_with_another_x_or_y() {
    for i in 0..2 * COEFFICIENTS {
        let mut addends = addends();
        addends[ROW] = beside(&addends[ROW], i);
        let mut mutated = honest();
        climb(&mut mutated, start(), &addends, |_, _, _, _| {});
        bus_refuses("variable_table", &[honest()], &[mutated]);
    }
}

#[test]
fn ladders_that_change_places() {
    let mut products = products();
    products.swap(0, LADDER);
    let [mutated, _] = traces(&products);
    bus_refuses(
        "variable_table",
        &[honest()],
        std::slice::from_ref(&mutated),
    );
    bus_refuses("variable_base", &[honest()], &[mutated]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_ladder_that_ends_early),
        cheats_of(a_ladder_that_starts_within_another),
        cheats_of(a_product_that_is_not_given_out),
        cheats_of(a_ladder_for_another_signature),
        cheats_of(ladders_that_are_numbered_from_one),
        cheats_of(a_low_half_plus_p),
        cheats_of(a_high_half_plus_p),
        cheats_of(a_high_half_of_the_provers_choice),
        cheats_of(a_high_half_that_is_there_too_early),
        cheats_of(an_upper_part_of_the_provers_choice),
        cheats_of(an_upper_part_that_changes_on_the_way),
        cheats_of(a_ladder_that_skips_a_doubling),
        cheats_of(a_doubling_along_another_line),
        cheats_of(any_doubling_along_another_line),
        cheats_of(any_doubling_to_another_x),
        cheats_of(an_inverse_that_is_none),
        cheats_of(a_step_whose_second_line_misses_in_one_coefficient),
        cheats_of(a_step_to_a_point_with_another_x),
        cheats_of(a_step_to_a_point_with_another_y),
        cheats_of(a_ladder_that_starts_with_another_x_or_y),
        cheats_of(an_addition_of_equal_points_with_a_free_slope),
        cheats_of(a_step_along_another_line),
        cheats_of(a_step_to_another_point),
        cheats_of(a_step_to_the_negative_point),
        cheats_of(a_ladder_that_starts_elsewhere),
        cheats_of(the_first_ladder_too_starts_with_a_multiple),
        cheats_of(a_digit_above_fifteen),
        cheats_of(a_multiple_of_another_digit),
        cheats_of(a_multiple_with_another_x_or_y),
        cheats_of(ladders_that_change_places),
    ]
    .concat()
}
