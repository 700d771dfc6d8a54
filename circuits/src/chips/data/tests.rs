use num_bigint::{BigInt, BigUint, Sign};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::data::{COEFFICIENTS, Evaluation, LOG_COEFFICIENTS, ORDER, coefficients};
use shardfold_protocol::difference::extend_data;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::Digest;

use super::columns::WIDTH;
use super::{DataChip, DataColumns, Evaluated, generate};
use crate::chips::Chip;
use crate::chips::poseidon2::{self, Poseidon2Chip};
use crate::chips::range::{self, RangeChip};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{
    Cheat, ChipTrace, accepts, bus_refuses, cheats_of, constraints_refuse, cost,
    one_constraint_refuses, report, table_refuses,
};

/// Two groups.
const LOG_HEIGHT: usize = 6;
/// The chain of differences before.
const BEFORE: Digest = [F::TWO; 4];
/// Large enough for a quotient of more than 128 bits, of a value that is not reduced.
const POINT: [u64; 2] = [0x7123_4567_89ab_cdef, 0x7fff_edcb_a987_6543];

/// Blocks with elements of every size.
fn blocks(count: usize) -> Vec<F> {
    let element = |i: usize| match i % 7 {
        0 => MODULUS - 1,
        1 => i as u64,
        2 => 3 << 62 | i as u64,
        3 => MODULUS - 2 - i as u64,
        4 => u64::from(u32::MAX) << 32,
        5 => 0,
        _ => (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % MODULUS,
    };
    (0..4 * count).map(|i| F::from_u64(element(i))).collect()
}

fn public_values(before: &Digest, evaluated: &Evaluated) -> Vec<F> {
    let Evaluation { point, value } = evaluated.evaluation;
    let limb = |i: usize| F::from_u64(point[i / 4] >> (16 * (i % 4)) & 0xffff);
    let half = |i: usize| F::from_u64(value[i / 2] >> (32 * (i % 2)) & 0xffff_ffff);
    let (limbs, halves) = ((0..8).map(limb), (0..8).map(half));
    let ends = before.iter().chain(&evaluated.after).copied();
    ends.chain(limbs).chain(halves).collect()
}

fn trace_of(differences: &[F], point: [u64; 2], events: &mut LookupEvents) -> ChipTrace {
    let evaluated = generate(differences, &BEFORE, point, LOG_HEIGHT, events).unwrap();
    let values = public_values(&BEFORE, &evaluated);
    ChipTrace::with_public_values(Chip::Data(DataChip), evaluated.trace, values)
}

fn of(count: usize) -> ChipTrace {
    trace_of(&blocks(count), POINT, &mut LookupEvents::default())
}

/// A group that is full and one that is not.
fn honest() -> ChipTrace {
    of(40)
}

fn columns() -> DataColumns<usize> {
    DataColumns::of(0..WIDTH)
}

/// The polynomial by Horner's rule with long numbers.
fn expected(differences: &[F], rows: usize, point: [u64; 2]) -> BigUint {
    let integer = |words: &[u64]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        BigUint::from_bytes_le(&bytes)
    };
    let (point, order) = (integer(&point), integer(&ORDER));
    let mut coefficients = coefficients(differences).unwrap();
    coefficients.resize(rows, [0; 4]);
    let mut value = BigUint::ZERO;
    for coefficient in &coefficients {
        value = (value * &point + integer(coefficient)) % &order;
    }
    value
}

// Honest.

#[test]
fn differences_are_evaluated() {
    for count in [0, 1, 30, 31, 32, 61, 62] {
        let mut events = LookupEvents::default();
        let differences = blocks(count);
        let evaluated = generate(&differences, &BEFORE, POINT, LOG_HEIGHT, &mut events).unwrap();
        assert_eq!(evaluated.after, extend_data(&BEFORE, &differences));
        let value = evaluated.evaluation.value.map(u64::to_le_bytes).concat();
        let rows = 1 << LOG_HEIGHT;
        let expected = expected(&differences, rows, POINT);
        assert_eq!(BigUint::from_bytes_le(&value), expected, "{count}");
        assert_eq!(events.hashes.len(), count);
        accepts(&[of(count)]);
    }
}

#[test]
fn all_points_are_evaluated_at() {
    for point in [[0, 0], [1, 0], [0, 1], [u64::MAX >> 1; 2]] {
        accepts(&[trace_of(&blocks(5), point, &mut LookupEvents::default())]);
    }
}

#[test]
fn with_compressions_and_ranges_nothing_is_left_over() {
    let chips = whole();
    let found = report(&chips);
    assert!(found.is_clean(), "{found}");
    accepts(&chips);
}

#[test]
fn the_cost_is_as_planned() {
    let cost = cost(&Chip::Data(DataChip), LOG_COEFFICIENTS);
    assert_eq!((cost.main, cost.degree), (76, 3));
    println!("{cost:?}");
}

#[test]
fn more_blocks_than_rows_are_refused() {
    let mut events = LookupEvents::default();
    let error = generate(&blocks(63), &BEFORE, POINT, LOG_HEIGHT, &mut events).unwrap_err();
    let (rows, capacity) = (96, 1 << LOG_HEIGHT);
    let chip = "data";
    assert_eq!(
        error,
        TraceError::TooManyRows {
            chip,
            rows,
            capacity
        }
    );
    let most = vec![F::ZERO; 4 * COEFFICIENTS];
    let error = generate(&most, &BEFORE, POINT, LOG_COEFFICIENTS, &mut events).unwrap_err();
    assert!(matches!(error, TraceError::TooMuchData(_)), "{error}");
}

#[test]
fn the_point_and_the_value_are_public() {
    for column in 8..super::PUBLIC_VALUES {
        let mut trace = honest();
        trace.public_values[column] += F::ONE;
        constraints_refuse(&[trace]);
    }
}

// Cheats.

/// Row 3 holds a block, row 31 the top bits of a group, row 50 nothing, row 63 is the last.
const BLOCK: usize = 3;
const SPILL: usize = 31;
const UNUSED: usize = 50;
const LAST: usize = (1 << LOG_HEIGHT) - 1;

/// A trace in which each cheat is then made to fit everything but what refuses it.
struct Play(ChipTrace);

/// How a step of Horner's rule is to be wrong.
#[derive(Clone, Copy, Default)]
struct Twist {
    /// In which row.
    row: usize,
    /// By how much less the order is taken off.
    less: u32,
    /// In which two limbs the equation does not hold.
    equation: Option<usize>,
    /// The limb of the first row's value of which a bit is another.
    first: Option<u64>,
}

impl Play {
    fn get(&self, row: usize, column: usize) -> F {
        self.0.trace.values[row * WIDTH + column]
    }

    fn number(&self, row: usize, column: usize) -> u64 {
        self.get(row, column).as_canonical_u64()
    }

    fn set(&mut self, row: usize, column: usize, value: u64) {
        *self.0.cell_mut(row, column) = F::from_u64(value);
    }

    fn element(&self, row: usize, element: usize) -> F {
        let columns = columns();
        let limb = |i: usize| self.get(row, columns.limbs[4 * element + i]);
        let limbs = (0..4).map(|i| limb(i) * F::from_u64(1 << (16 * i)));
        let top = self.get(row, columns.top[0]) + self.get(row, columns.top[1]).double();
        let above = if element == 3 { top } else { F::ZERO };
        limbs.sum::<F>() + above * F::from_u64(1 << 62)
    }

    /// The top bits are gathered anew, from a row on.
    fn spill(&mut self, from: usize) {
        let columns = columns();
        for row in from..=LAST {
            let place = row % 32;
            let spilt = self.get(row, columns.spilt);
            if place == 31 {
                let spilt = spilt.as_canonical_u64();
                for i in 0..4 {
                    self.set(row, columns.limbs[i], spilt >> (16 * i) & 0xffff);
                }
            }
            let top = self.get(row, columns.top[0]) + self.get(row, columns.top[1]).double();
            let next = match place {
                31 => F::ZERO,
                _ => spilt + top * F::from_u64(1 << (2 * place)),
            };
            if row < LAST {
                *self.0.cell_mut(row + 1, columns.spilt) = next;
            }
        }
    }

    /// The chain goes on from a row.
    fn chain(&mut self, from: usize) {
        let columns = columns();
        for row in from..=LAST {
            let chain = columns.chain.map(|column| self.get(row, column));
            let block: [F; 4] = core::array::from_fn(|i| self.element(row, i));
            let is_block = self.get(row, columns.is_real) == F::ONE;
            let next = if is_block {
                extend_data(&chain, &block)
            } else {
                chain
            };
            for (i, next) in next.into_iter().enumerate() {
                match row {
                    LAST => self.0.public_values[4 + i] = next,
                    _ => *self.0.cell_mut(row + 1, columns.chain[i]) = next,
                }
            }
        }
    }

    /// What shows that the high halves are not all ones.
    fn witnesses(&mut self) {
        let columns = columns();
        for row in 0..=LAST {
            for i in 0..4 {
                let limb = |limb: usize| self.get(row, columns.limbs[4 * i + limb]);
                let mut high = limb(2) + limb(3) * F::from_u32(1 << 16);
                if i == 3 {
                    let top =
                        self.get(row, columns.top[0]) + self.get(row, columns.top[1]).double();
                    high += top * F::from_u32(1 << 30);
                }
                let rest = F::from_u32(u32::MAX) - high;
                *self.0.cell_mut(row, columns.witness[i]) = rest.try_inverse().unwrap_or_default();
            }
        }
    }

    /// The polynomial is evaluated anew, with a twist.
    fn evaluate(&mut self, twist: Twist) {
        let columns = columns();
        let point = BigInt::from(BigUint::from_slice(&halves(&POINT)));
        let order = BigInt::from(BigUint::from_slice(&halves(&ORDER)));
        let mut value = BigInt::ZERO;
        for row in 0..=LAST {
            let coefficient = columns.limbs.map(|column| self.number(row, column));
            let before = value.clone();
            let sum = &before * &point + integer(&coefficient);
            let mut quotient: BigInt = &sum / &order;
            value = &sum % &order;
            if row == twist.row {
                quotient -= twist.less;
                value += &order * twist.less;
                if let Some(equation) = twist.equation {
                    value -= BigInt::from(1) << (32 * equation);
                    while value.sign() == Sign::Minus {
                        let times: BigInt = (-&value + &order - 1) / &order;
                        value += &times * &order;
                        quotient -= times;
                    }
                }
                if let Some(limb) = twist.first {
                    value.set_bit(16 * limb, !value.bit(16 * limb));
                }
            }
            self.write(row, columns.value, &value);
            self.write(row, columns.quotient, &quotient);
            if row > 0 {
                self.carry(row, twist.equation.filter(|_| row == twist.row));
            }
        }
        for i in 0..8 {
            let half: BigInt = &value >> (32 * i);
            self.0.public_values[16 + i] = F::from_u32(low(&half) as u32);
        }
    }

    /// Limbs of 16 bits; what is above the last one is in it.
    fn write<const N: usize>(&mut self, row: usize, columns: [usize; N], value: &BigInt) {
        for (i, column) in columns.into_iter().enumerate() {
            let rest: BigInt = value >> (16 * i);
            let limb = if i + 1 < N {
                low(&rest) & 0xffff
            } else {
                low(&rest)
            };
            self.set(row, column, limb);
        }
    }

    /// What a step of Horner's rule hands on, from the cells that are there.
    fn carry(&mut self, row: usize, wrong: Option<usize>) {
        let columns = columns();
        let signed = |play: &Self, row, column| i128::from(play.number(row, column));
        let mut sums = [0_i128; 24];
        for i in 0..16 {
            sums[i] += signed(self, row, columns.limbs[i]) - signed(self, row, columns.value[i]);
            for j in 0..8 {
                let point = i128::from(POINT[j / 4] >> (16 * (j % 4)) & 0xffff);
                let order = i128::from(ORDER[i / 4] >> (16 * (i % 4)) & 0xffff);
                sums[i + j] += signed(self, row - 1, columns.value[i]) * point;
                sums[i + j] -= order * signed(self, row, columns.quotient[j]);
            }
        }
        let mut carry = 0;
        for i in 0..12 {
            let wrong = i128::from(wrong == Some(i));
            let sum = sums[2 * i] + (sums[2 * i + 1] << 16) + carry - wrong;
            assert_eq!(sum & 0xffff_ffff, 0, "row {row}, equation {i}");
            carry = sum >> 32;
            if i < 11 {
                let carry = (carry + (1 << 21)) as u64;
                self.set(row, columns.carry_low[i], carry & 0xffff);
                self.set(row, columns.carry_high[i], carry >> 16);
            }
        }
        assert_eq!(carry, 0, "row {row}");
    }

    /// Everything follows from limbs and flags.
    fn settled(mut self) -> ChipTrace {
        self.spill(0);
        self.chain(0);
        self.witnesses();
        self.evaluate(Twist::default());
        self.0
    }
}

fn halves(words: &[u64]) -> Vec<u32> {
    let halves = words
        .iter()
        .flat_map(|&word| [word as u32, (word >> 32) as u32]);
    halves.collect()
}

fn integer(limbs: &[u64]) -> BigInt {
    let limbs = limbs.iter().rev();
    limbs.fold(BigInt::ZERO, |sum, &limb| (sum << 16) + limb)
}

/// The low 64 bits.
fn low(integer: &BigInt) -> u64 {
    integer.iter_u64_digits().next().unwrap_or_default()
}

fn twisted(twist: Twist) -> ChipTrace {
    let mut play = Play(honest());
    play.evaluate(twist);
    play.0
}

#[test]
fn what_is_settled_is_the_honest_trace() {
    let (settled, honest) = (Play(honest()).settled(), honest());
    assert_eq!(settled.public_values, honest.public_values);
    for (i, (found, expected)) in settled
        .trace
        .values
        .iter()
        .zip(&honest.trace.values)
        .enumerate()
    {
        let (row, column) = (i / WIDTH, i % WIDTH);
        // The first row's step is free.
        if row > 0 || column < columns().carry_low[0] {
            assert_eq!(found, expected, "row {row}, column {column}");
        }
    }
}

#[test]
fn a_group_cannot_end_elsewhere() {
    one_constraint_refuses(&[of(31).with_cell(40, columns().is_spill, F::ONE)]);
}

#[test]
fn a_row_is_active_or_not() {
    one_constraint_refuses(&[of(62).with_cell(LAST, columns().is_active, F::from_u8(5))]);
}

#[test]
fn no_block_comes_after_the_last() {
    one_constraint_refuses(&[honest().with_cell(LAST, columns().is_active, F::ONE)]);
}

#[test]
fn a_row_without_a_block_cannot_be_chained() {
    let mut play = Play(honest().with_cell(UNUSED, columns().is_real, F::ONE));
    play.chain(UNUSED);
    one_constraint_refuses(&[play.0]);
}

#[test]
fn top_bits_are_bits() {
    let columns = columns();
    // Two as twice the lower one, one as half the higher one.
    for (bits, told) in [
        ([0, 1], [F::TWO, F::ZERO]),
        ([1, 0], [F::ZERO, F::TWO.inverse()]),
    ] {
        let mut play = Play(honest());
        play.set(BLOCK, columns.top[0], bits[0]);
        play.set(BLOCK, columns.top[1], bits[1]);
        let mut trace = play.settled();
        *trace.cell_mut(BLOCK, columns.top[0]) = told[0];
        *trace.cell_mut(BLOCK, columns.top[1]) = told[1];
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn no_element_is_told_as_one_of_p_more() {
    let columns = columns();
    for element in 0..4 {
        let mut play = Play(honest());
        for (i, limb) in [1, 0, 0xffff, 0xffff].into_iter().enumerate() {
            play.set(BLOCK, columns.limbs[4 * element + i], limb);
        }
        if element == 3 {
            play.set(BLOCK, columns.limbs[15], 0x3fff);
            play.set(BLOCK, columns.top[0], 1);
            play.set(BLOCK, columns.top[1], 1);
        }
        assert_eq!(play.element(BLOCK, element), F::ZERO);
        one_constraint_refuses(&[play.settled()]);
    }
}

#[test]
fn a_row_without_a_block_is_zero() {
    for element in 0..4 {
        let mut play = Play(honest());
        play.set(UNUSED, columns().limbs[4 * element], 7);
        one_constraint_refuses(&[play.settled()]);
    }
}

#[test]
fn the_last_of_a_group_is_what_was_spilt() {
    let limb = columns().limbs[0];
    let mut play = Play(honest());
    let more = play.number(SPILL, limb) ^ 1;
    play.set(SPILL, limb, more);
    play.witnesses();
    play.evaluate(Twist::default());
    one_constraint_refuses(&[play.0]);
}

#[test]
fn nothing_is_spilt_before_the_first_block() {
    let mut play = Play(honest());
    play.set(0, columns().spilt, 1);
    one_constraint_refuses(&[play.settled()]);
}

#[test]
fn what_is_spilt_adds_up() {
    let spilt = columns().spilt;
    let mut play = Play(honest());
    let more = play.number(BLOCK, spilt) ^ 1;
    play.set(BLOCK, spilt, more);
    play.spill(BLOCK);
    play.witnesses();
    play.evaluate(Twist::default());
    one_constraint_refuses(&[play.0]);
}

#[test]
fn the_chain_starts_at_the_commitment_before() {
    for i in 0..4 {
        let mut play = Play(honest());
        play.set(0, columns().chain[i], 9);
        play.chain(0);
        one_constraint_refuses(&[play.0]);
    }
}

#[test]
fn the_chain_stays_where_no_block_is() {
    for i in 0..4 {
        let mut play = Play(honest());
        play.set(UNUSED, columns().chain[i], 9);
        play.chain(UNUSED);
        one_constraint_refuses(&[play.0]);
    }
}

#[test]
fn the_chain_ends_at_the_commitment_after() {
    for i in 4..8 {
        let mut trace = honest();
        trace.public_values[i] += F::ONE;
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn the_value_starts_as_the_first_coefficient() {
    for limb in 0..16 {
        let first = Some(limb);
        let trace = twisted(Twist {
            first,
            ..Twist::default()
        });
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn the_value_ends_as_it_is_stated() {
    for i in 16..24 {
        let mut trace = honest();
        trace.public_values[i] += F::ONE;
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn every_limb_of_a_step_counts() {
    for equation in 0..12 {
        let equation = Some(equation);
        let row = LAST;
        let trace = twisted(Twist {
            row,
            equation,
            ..Twist::default()
        });
        one_constraint_refuses(&[trace]);
    }
}

#[test]
fn a_link_of_the_chain_is_a_compression() {
    for i in 0..4 {
        let mut play = Play(honest());
        play.set(BLOCK + 1, columns().chain[i], 9);
        play.chain(BLOCK + 1);
        table_refuses("hash", &[play.0]);
    }
}

#[test]
fn a_block_cannot_be_left_out_of_the_chain() {
    let shorter = trace_of(&blocks(39), POINT, &mut LookupEvents::default());
    bus_refuses("hash", &[honest()], &[shorter]);
}

#[test]
fn a_limb_of_a_coefficient_has_16_bits() {
    for i in 0..15 {
        let mut play = Play(honest());
        for limb in 0..16 {
            play.set(BLOCK, columns().limbs[limb], 0);
        }
        play.set(BLOCK, columns().limbs[i], 1 << 16);
        table_refuses("range", &[play.settled()]);
    }
}

#[test]
fn the_highest_limb_of_a_coefficient_has_14_bits() {
    let limbs = columns().limbs;
    let mut play = Play(honest());
    play.set(BLOCK, limbs[15], 1 << 14);
    table_refuses("range", &[play.settled()]);
    // A quarter of 1, which stands for a bit of the limb below.
    let mut play = Play(honest());
    play.set(BLOCK, limbs[14], 1 << 14);
    play.set(BLOCK, limbs[15], 0);
    let mut trace = play.settled();
    *trace.cell_mut(BLOCK, limbs[14]) = F::ZERO;
    *trace.cell_mut(BLOCK, limbs[15]) = F::from_u8(4).inverse();
    table_refuses("range", &[trace]);
}

/// Two neighbours in the last row that mean the same, of which one is out of range.
fn out_of_range(low_column: usize, high_column: usize) -> [ChipTrace; 2] {
    let trace = honest();
    let play = Play(trace.clone());
    let (low, high) = (
        play.number(LAST, low_column),
        play.number(LAST, high_column),
    );
    assert!(low > 0 && high > 0, "{low_column}");
    let base = F::from_u32(1 << 16);
    let is_low = trace
        .with_cell(LAST, low_column, F::from_u64(low) + base)
        .with_cell(LAST, high_column, F::from_u64(high - 1));
    let is_high = trace
        .with_cell(LAST, low_column, F::from_u64(low - 1))
        .with_cell(LAST, high_column, F::from_u64(high) + base.inverse());
    [is_low, is_high]
}

#[test]
fn a_limb_of_the_value_has_16_bits() {
    for [low, high] in columns().value.as_chunks::<2>().0 {
        for trace in out_of_range(*low, *high) {
            table_refuses("range", &[trace]);
        }
    }
}

#[test]
fn what_is_handed_on_is_of_two_limbs() {
    let columns = columns();
    for (low, high) in columns.carry_low.into_iter().zip(columns.carry_high) {
        for trace in out_of_range(low, high) {
            table_refuses("range", &[trace]);
        }
    }
}

#[test]
fn a_limb_of_the_quotient_has_16_bits() {
    let quotient = columns().quotient;
    for i in 0..7 {
        let mut play = Play(honest());
        let (limb, next) = (
            play.number(LAST, quotient[i]),
            play.number(LAST, quotient[i + 1]),
        );
        play.set(LAST, quotient[i], limb + (1 << 16));
        play.set(LAST, quotient[i + 1], next - 1);
        play.carry(LAST, None);
        table_refuses("range", &[play.0]);
    }
}

/// A value that is more than twice the order makes a quotient of more than 128 bits.
#[test]
fn the_highest_limb_of_the_quotient_has_16_bits() {
    let found = (1..LAST).find_map(|row| {
        let less = 2;
        let trace = twisted(Twist {
            row,
            less,
            ..Twist::default()
        });
        let play = Play(trace.clone());
        let fits = play.number(row, columns().value[15]) < 1 << 16;
        let quotient = play.number(row + 1, columns().quotient[7]);
        (fits && quotient >= 1 << 16).then_some(trace)
    });
    table_refuses("range", &[found.expect("a value is small")]);
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_group_cannot_end_elsewhere),
        cheats_of(a_row_is_active_or_not),
        cheats_of(no_block_comes_after_the_last),
        cheats_of(a_row_without_a_block_cannot_be_chained),
        cheats_of(top_bits_are_bits),
        cheats_of(no_element_is_told_as_one_of_p_more),
        cheats_of(a_row_without_a_block_is_zero),
        cheats_of(the_last_of_a_group_is_what_was_spilt),
        cheats_of(nothing_is_spilt_before_the_first_block),
        cheats_of(what_is_spilt_adds_up),
        cheats_of(the_chain_starts_at_the_commitment_before),
        cheats_of(the_chain_stays_where_no_block_is),
        cheats_of(the_chain_ends_at_the_commitment_after),
        cheats_of(the_value_starts_as_the_first_coefficient),
        cheats_of(the_value_ends_as_it_is_stated),
        cheats_of(every_limb_of_a_step_counts),
        cheats_of(a_link_of_the_chain_is_a_compression),
        cheats_of(a_block_cannot_be_left_out_of_the_chain),
        cheats_of(a_limb_of_a_coefficient_has_16_bits),
        cheats_of(the_highest_limb_of_a_coefficient_has_14_bits),
        cheats_of(a_limb_of_the_value_has_16_bits),
        cheats_of(what_is_handed_on_is_of_two_limbs),
        cheats_of(a_limb_of_the_quotient_has_16_bits),
        cheats_of(the_highest_limb_of_the_quotient_has_16_bits),
    ]
    .concat()
}

/// The chip with the tables that serve it: nothing is left over.
pub fn whole() -> Vec<ChipTrace> {
    let mut events = LookupEvents::default();
    let data = trace_of(&blocks(40), POINT, &mut events);
    let compressions = poseidon2::generate(&events.hashes, LOG_HEIGHT).unwrap();
    vec![
        data,
        ChipTrace::new(Chip::Poseidon2(Poseidon2Chip), compressions),
        ChipTrace::new(Chip::Range(RangeChip), range::generate(&events.range)),
    ]
}
