use std::ops::Range;

use p3_air::BaseAir;
use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::curve::{
    A, AffinePoint, F5, Point, Scalar, WINDOW_BASES, WINDOW_OFFSETS, WINDOW_SIZE, WINDOWS,
    elements, fixed_base_table, sqrt,
};

use super::columns::{FixedTableColumns, WIDTH};
use super::trace::{BLOCK, generate};
use super::{FixedTableChip, LOG_HEIGHT};
use crate::cells::write;
use crate::chips::Chip;
use crate::gadgets::curve::invert;
use crate::testing::{
    COEFFICIENTS, Cheat, ChipTrace, accepts, beside, bus_refuses, cheats_of, constraints_refuse,
    cost, nth, only_these_refuse, report, unit,
};
use shardfold_protocol::field::F;

// The numbers of the constraints, in the order of the README.
const FIRST: Range<usize> = 0..1;
const STARTS: Range<usize> = 1..22;
const WITHIN: Range<usize> = 22..43;

// Where the constraints on x and y of M and B begin, among those of a start and those within.
const MULTIPLE: usize = 1;
const BASE: usize = 1 + 2 * COEFFICIENTS;

/// Rows of the tables that are tampered with, and the starts of their blocks: a table is free to
/// be low and to leave windows out.
const HEIGHT: usize = 64;
const BLOCKS: [usize; 4] = [0, 9, 31, 37];

/// The block that is tampered with, its window, and a row in its middle.
const STARTS_AT: usize = 9;
const WINDOW: usize = 9;
const ROW: usize = 17;

fn chip(trace: RowMajorMatrix<F>) -> ChipTrace {
    ChipTrace::new(Chip::FixedTable(FixedTableChip), trace)
}

fn honest() -> ChipTrace {
    chip(generate(&[Scalar::ZERO, Scalar::ONE]))
}

fn columns() -> FixedTableColumns<usize> {
    FixedTableColumns::of(0..WIDTH)
}

fn refused_by(trace: ChipTrace, constraints: Range<usize>) {
    only_these_refuse(&[trace], "fixed_table", constraints);
}

/// One row without its multiplicity.
#[derive(Clone, Copy)]
struct Line {
    is_start: F,
    window: F,
    multiple: AffinePoint,
    base: AffinePoint,
    slope: F5,
}

impl Line {
    /// What a block starts with on this row.
    fn start(row: usize) -> Self {
        let window = row % WINDOWS;
        Self::new(window, WINDOW_OFFSETS[window], WINDOW_BASES[window])
    }

    fn new(window: usize, multiple: AffinePoint, base: AffinePoint) -> Self {
        Self {
            is_start: F::ONE,
            window: F::from_usize(window),
            multiple,
            base,
            slope: multiple.add_slope(&base).unwrap(),
        }
    }

    /// What follows in a block.
    fn next(&self) -> Self {
        let mut next = Self {
            is_start: F::ZERO,
            multiple: self.multiple.add_with_slope(&self.base, self.slope),
            ..*self
        };
        next.toward(self.base);
        next
    }

    /// A line through the row's multiple and another point.
    fn toward(&mut self, base: AffinePoint) {
        self.base = base;
        self.slope = self.multiple.add_slope(&base).unwrap();
    }
}

/// A table of blocks that start on some rows; `tamper` may change a row.
fn filled(height: usize, starts: &[usize], tamper: impl Fn(usize, &mut Line)) -> ChipTrace {
    let mut cells = F::zero_vec(height * WIDTH);
    let mut before = Line::start(0);
    for (row, cells) in cells.chunks_exact_mut(WIDTH).enumerate() {
        let mut line = match starts.contains(&row) {
            true => Line::start(row),
            false => before.next(),
        };
        tamper(row, &mut line);
        let cells = FixedTableColumns::of(cells);
        *cells.is_start = line.is_start;
        *cells.window = line.window;
        write(cells.x, elements(&line.multiple.x));
        write(cells.y, elements(&line.multiple.y));
        write(cells.base_x, elements(&line.base.x));
        write(cells.slope, elements(&line.slope));
        before = line;
    }
    chip(RowMajorMatrix::new(cells, WIDTH))
}

fn tampered(tamper: impl Fn(usize, &mut Line)) -> ChipTrace {
    filled(HEIGHT, &BLOCKS, tamper)
}

/// The block that is tampered with starts with another line.
fn started(with: impl Fn(&mut Line)) -> ChipTrace {
    tampered(|row, line| {
        if row == STARTS_AT {
            with(line);
        }
    })
}

/// The block is tampered with on one row.
fn on_the_way(tamper: impl Fn(&mut Line)) -> ChipTrace {
    tampered(|row, line| {
        if row == ROW {
            tamper(line);
        }
    })
}

// Honest.

#[test]
fn points_looked_up_are_given() {
    accepts(&[honest()]);
}

#[test]
fn the_entries_are_the_protocols() {
    let scalars = [Scalar::ZERO, Scalar::ONE, Scalar::from(5 << 10 | 1)];
    let trace = generate(&scalars);
    assert_eq!(trace.height(), 1 << LOG_HEIGHT);
    for (i, point) in fixed_base_table().iter().enumerate() {
        let (window, digit) = (i / WINDOW_SIZE, i % WINDOW_SIZE);
        let row = window * BLOCK + digit;
        let cells = trace.row_slice(row).unwrap();
        let row = FixedTableColumns::of(cells.iter().copied());
        assert_eq!(row.window, F::from_usize(window));
        assert_eq!(row.x, elements(&point.x));
        assert_eq!(row.y, elements(&point.y));
        let digits = scalars.iter().map(|s| usize::from(s.window(window)));
        let times = digits.filter(|d| *d == digit).count();
        assert_eq!(row.multiplicity, F::from_usize(times));
    }
    let multiplicity = columns().multiplicity;
    let all = trace.rows().map(|mut row| row.nth(multiplicity).unwrap());
    assert_eq!(all.sum::<F>(), F::from_usize(scalars.len() * WINDOWS));
}

#[test]
fn the_tests_fill_a_table_as_the_generator_does() {
    let starts: Vec<usize> = (0..1 << LOG_HEIGHT).step_by(BLOCK).collect();
    let filled = filled(1 << LOG_HEIGHT, &starts, |_, _| {});
    assert_eq!(filled.trace, generate(&[]));
}

#[test]
fn blocks_of_any_length_are_as_good() {
    accepts(&[tampered(|_, _| {})]);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::FixedTable(FixedTableChip), LOG_HEIGHT);
    assert_eq!((cost.main, cost.permutation, cost.degree), (23, 2, 3));
    let next = FixedTableChip.main_next_row_columns();
    let free = columns().multiplicity;
    assert!((0..WIDTH).all(|column| next.contains(&column) == (column != free)));
}

/// The fact about constants on which the chip rests: whatever the place of a row in its block, M
/// and B_w have different x.
#[test]
fn no_point_of_a_block_has_the_x_of_its_base() {
    let mut multiples = *WINDOW_OFFSETS;
    for digit in 0..1 << LOG_HEIGHT {
        let denominators: [F5; WINDOWS] =
            core::array::from_fn(|w| multiples[w].x - WINDOW_BASES[w].x);
        let inverses = invert(&denominators);
        assert!(inverses.is_ok(), "digit {digit}");
        for (window, inverse) in inverses.unwrap().into_iter().enumerate() {
            let (multiple, base) = (&mut multiples[window], WINDOW_BASES[window]);
            let slope = (multiple.y - base.y) * inverse;
            *multiple = multiple.add_with_slope(&base, slope);
        }
    }
    for ((multiple, offset), base) in multiples
        .into_iter()
        .zip(&*WINDOW_OFFSETS)
        .zip(&*WINDOW_BASES)
    {
        let expected = Point::from(*base).mul_u128(1 << LOG_HEIGHT) + *offset;
        assert_eq!(Point::from(multiple), expected);
    }
}

// Cheats.

#[test]
fn a_table_without_any_start() {
    // (0, 0), which is no group element, plus itself is itself by the slope sqrt(a).
    let null = AffinePoint {
        x: F5::ZERO,
        y: F5::ZERO,
    };
    let slope = sqrt(&A).unwrap();
    let rows: Vec<usize> = (0..HEIGHT).collect();
    let cheat = filled(HEIGHT, &rows, |_, line| {
        *line = Line {
            is_start: F::ZERO,
            window: F::from_usize(WINDOW),
            multiple: null,
            base: null,
            slope,
        };
    });
    refused_by(cheat, FIRST);
}

#[test]
fn a_first_row_in_the_middle_of_a_block() {
    let mut cheat = tampered(|_, _| {});
    // The places of blocks in the period are as they were.
    cheat.trace.values.rotate_left(WINDOWS * WIDTH);
    assert_eq!(*cheat.cell_mut(0, columns().is_start), F::ZERO);
    refused_by(cheat, FIRST);
}

#[test]
fn a_first_row_that_starts_twice() {
    let column = columns().is_start;
    let cheat = tampered(|_, _| {}).with_cell(0, column, F::TWO);
    let violated = report(std::slice::from_ref(&cheat)).violations;
    assert!(violated.iter().any(|v| FIRST.contains(&v.constraint)));
    constraints_refuse(&[cheat]);
}

#[test]
fn a_start_that_is_no_bit() {
    // Neither a start's point nor the one that follows is left out by it.
    for is_start in [F::TWO, F::NEG_ONE] {
        let column = columns().is_start;
        let at_start = tampered(|_, _| {}).with_cell(STARTS_AT, column, is_start);
        refused_by(at_start, WITHIN);
        let cheat = on_the_way(|line| line.is_start = is_start);
        refused_by(cheat, STARTS);
    }
}

#[test]
fn a_start_in_the_middle_of_a_block() {
    refused_by(on_the_way(|line| line.is_start = F::ONE), STARTS);
}

#[test]
fn a_block_under_another_window() {
    let other = F::from_usize(WINDOW + 1);
    refused_by(started(|line| line.window = other), nth(STARTS, 0));
}

#[test]
fn a_block_of_another_window() {
    let cheat = started(|line| {
        *line = Line::start(WINDOW + 1);
        line.window = F::from_usize(WINDOW);
    });
    refused_by(cheat, STARTS);
}

#[test]
fn a_block_with_the_offset_of_another_window() {
    let offset = WINDOW_OFFSETS[WINDOW + 1];
    let cheat = started(|line| *line = Line::new(WINDOW, offset, line.base));
    refused_by(cheat, STARTS);
}

#[test]
fn a_block_with_the_base_of_another_window() {
    let cheat = started(|line| line.toward(WINDOW_BASES[WINDOW + 1]));
    refused_by(cheat, STARTS);
}

#[test]
fn a_block_that_starts_beside_its_offset() {
    for i in 0..2 * COEFFICIENTS {
        let offset = beside(&WINDOW_OFFSETS[WINDOW], i);
        let cheat = started(|line| *line = Line::new(WINDOW, offset, line.base));
        refused_by(cheat, nth(STARTS, MULTIPLE + i));
    }
}

#[test]
fn a_block_of_a_point_beside_its_base() {
    for i in 0..2 * COEFFICIENTS {
        let base = beside(&WINDOW_BASES[WINDOW], i);
        let cheat = started(|line| line.toward(base));
        refused_by(cheat, nth(STARTS, BASE + i));
    }
}

#[test]
fn a_window_that_changes_on_the_way() {
    let other = F::from_usize(WINDOW + 1);
    refused_by(on_the_way(|line| line.window = other), nth(WITHIN, 0));
}

#[test]
fn a_multiple_that_is_skipped() {
    refused_by(on_the_way(|line| *line = line.next()), WITHIN);
}

#[test]
fn a_multiple_with_another_x() {
    let start = Line::start(STARTS_AT);
    let before = (STARTS_AT + 1..ROW).fold(start, |line, _| line.next());
    for i in 0..COEFFICIENTS {
        let cheat = on_the_way(|line| {
            let x = line.multiple.x + unit(i);
            let y = before.slope * (before.multiple.x - x) - before.multiple.y;
            line.multiple = AffinePoint { x, y };
            line.toward(line.base);
        });
        refused_by(cheat, nth(WITHIN, MULTIPLE + i));
    }
}

#[test]
fn a_multiple_with_another_y() {
    for i in 0..COEFFICIENTS {
        let cheat = on_the_way(|line| {
            line.multiple.y += unit(i);
            line.toward(line.base);
        });
        refused_by(cheat, nth(WITHIN, MULTIPLE + COEFFICIENTS + i));
    }
}

#[test]
fn a_base_that_changes_its_x_or_y_on_the_way() {
    for i in 0..2 * COEFFICIENTS {
        let base = beside(&WINDOW_BASES[WINDOW], i);
        refused_by(on_the_way(|line| line.toward(base)), nth(WITHIN, BASE + i));
    }
}

#[test]
fn a_base_that_changes_its_sign() {
    let cheat = on_the_way(|line| line.toward(-line.base));
    refused_by(cheat, WITHIN);
}

#[test]
fn a_point_that_is_not_given_out() {
    let given = tampered(|_, _| {}).with_cell(ROW, columns().multiplicity, F::ONE);
    let withheld = given.with_cell(ROW, columns().multiplicity, F::ZERO);
    bus_refuses("fixed_table", &[given], &[withheld]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_table_without_any_start),
        cheats_of(a_first_row_in_the_middle_of_a_block),
        cheats_of(a_first_row_that_starts_twice),
        cheats_of(a_start_that_is_no_bit),
        cheats_of(a_start_in_the_middle_of_a_block),
        cheats_of(a_block_under_another_window),
        cheats_of(a_block_of_another_window),
        cheats_of(a_block_with_the_offset_of_another_window),
        cheats_of(a_block_with_the_base_of_another_window),
        cheats_of(a_block_that_starts_beside_its_offset),
        cheats_of(a_block_of_a_point_beside_its_base),
        cheats_of(a_window_that_changes_on_the_way),
        cheats_of(a_multiple_that_is_skipped),
        cheats_of(a_multiple_with_another_x),
        cheats_of(a_multiple_with_another_y),
        cheats_of(a_base_that_changes_its_x_or_y_on_the_way),
        cheats_of(a_base_that_changes_its_sign),
        cheats_of(a_point_that_is_not_given_out),
    ]
    .concat()
}
