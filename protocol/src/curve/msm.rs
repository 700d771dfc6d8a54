//! Sums of multiples of many points (Pippenger's bucket method).

use p3_field::Field;
use rayon::prelude::*;

use super::affine::AffinePoint;
use super::packed_point::{Row, from_row, to_row};
use super::point::Point;
use super::sums::{Addend, sum_lists};

/// An integer below 2^320: 64-bit words, lowest first.
pub type Words = [u64; 5];

/// Digits sorted into buckets in one go: enough that an inversion is shared by many additions.
const ENTRIES_PER_TASK: usize = 1 << 15;

/// Factors that are taken apart together: their digits of a window fill a cache line.
const FACTORS_PER_BLOCK: usize = 32;

/// Returns the sum of `factors[i]` times `points[i]`, which must be in the group; as many factors
/// as points. Takes variable time.
///
/// Factors are split into digits of c bits, from -2^(c-1) to 2^(c-1). For each window, the
/// points with the same digit, up to its sign, are added up in a bucket. The sum of
/// d times bucket d is then taken apart twice: into rows and columns of buckets, whose digits
/// have the same high or low half, and these into one sum for each bit of the halves.
#[must_use]
pub fn multi_scalar_mul(points: &[AffinePoint], factors: &[Words]) -> Point {
    debug_assert_eq!(points.len(), factors.len());
    let digits = Digits::new(factors);
    let points: Vec<Row> = points.iter().map(to_row).collect();
    let windows: Vec<usize> = (0..digits.windows).collect();
    let windows_per_task = (ENTRIES_PER_TASK / points.len().max(1)).max(1);
    let bit_sums: Vec<Vec<Row>> = windows
        .par_chunks(windows_per_task)
        .map(|windows| digits.sums_by_bit(windows, &points))
        .collect();
    let horner = |sum: Point, row: &Row| match is_neutral(row) {
        true => sum.double(),
        false => sum.double() + from_row(row),
    };
    bit_sums.iter().flatten().rev().fold(Point::NEUTRAL, horner)
}

/// Signed digits of many factors.
struct Digits {
    /// Bits of a digit.
    bits: usize,
    windows: usize,
    factors: usize,
    /// Window by window: the lowest digit of each factor first.
    digits: Vec<i16>,
}

impl Digits {
    fn new(factors: &[Words]) -> Self {
        let lengths = || factors.iter().map(bit_length);
        let longest = lengths().max().unwrap_or(0);
        let bits = window_bits(lengths().sum(), longest);
        // One bit more, for the carry out of the highest digit.
        let windows = (longest + 1).div_ceil(bits);
        let mut digits = vec![0; windows * factors.len()];
        // A few factors at a time, so that what is written lies together.
        for (block, some) in factors.chunks(FACTORS_PER_BLOCK).enumerate() {
            let mut carries = [0; FACTORS_PER_BLOCK];
            for window in 0..windows {
                let row = &mut digits[window * factors.len() + block * FACTORS_PER_BLOCK..];
                for ((factor, carry), to) in some.iter().zip(&mut carries).zip(row) {
                    let digit = bits_at(factor, window * bits, bits) + *carry;
                    *carry = i32::from(digit > 1 << (bits - 1));
                    *to = (digit - (*carry << bits)) as i16;
                }
            }
        }
        Self {
            bits,
            windows,
            factors: factors.len(),
            digits,
        }
    }

    /// For each bit of some windows, lowest first, the sum of the points that are to be
    /// multiplied by it.
    fn sums_by_bit(&self, windows: &[usize], points: &[Row]) -> Vec<Row> {
        let buckets = self.buckets(windows, points);
        // A digit's value is 2^low_bits * row + column.
        let low_bits = self.bits / 2;
        let (columns, rows) = (1 << low_bits, (1 << (self.bits - 1 - low_bits)) + 1);
        let halves = self.buckets_of_halves(&buckets, windows.len(), columns, rows);
        let lists = (0..windows.len()).flat_map(|window| {
            let start = window * (columns + rows);
            let parts = [
                (start, columns, low_bits),
                (start + columns, rows, self.bits - low_bits),
            ];
            parts.into_iter().flat_map(|(start, values, bits)| {
                (0..bits).map(move |bit| {
                    (0..values)
                        .filter(move |value| value >> bit & 1 == 1)
                        .map(move |value| start + value)
                })
            })
        });
        sum_chosen(&halves, lists)
    }

    /// For each window, the sum of the buckets of each column, then of each row.
    fn buckets_of_halves(
        &self,
        buckets: &[Row],
        windows: usize,
        columns: usize,
        rows: usize,
    ) -> Vec<Row> {
        let largest = 1 << (self.bits - 1);
        let lists = (0..windows).flat_map(|window| {
            let index = move |digit: usize| window * (largest + 1) + digit;
            (0..columns + rows).map(move |list| {
                let (start, step, count) = match list.checked_sub(columns) {
                    None => (list, columns, rows),
                    Some(row) => (row * columns, 1, columns),
                };
                let is_zero_times = list == 0 || list == columns;
                let count = if is_zero_times { 0 } else { count };
                (0..count)
                    .map(move |k| start + step * k)
                    .take_while(move |digit| *digit <= largest)
                    .map(index)
            })
        });
        sum_chosen(buckets, lists)
    }

    /// For each window, the sums of the points with digit 0 (skipped), 1, ..., 2^(bits - 1).
    fn buckets(&self, windows: &[usize], points: &[Row]) -> Vec<Row> {
        let per_window = (1 << (self.bits - 1)) + 1;
        let digits = || {
            windows.iter().enumerate().flat_map(move |(i, window)| {
                let row = &self.digits[window * self.factors..][..self.factors];
                row.iter()
                    .enumerate()
                    .filter(|(_, digit)| **digit != 0)
                    .map(move |(point, digit)| {
                        let bucket = i * per_window + usize::from(digit.unsigned_abs());
                        (bucket, Addend::new(point, *digit < 0))
                    })
            })
        };
        let mut lengths = vec![0_u32; windows.len() * per_window];
        digits().for_each(|(bucket, _)| lengths[bucket] += 1);
        let mut total = 0;
        let mut ends = lengths.clone();
        for end in &mut ends {
            total += core::mem::replace(end, total);
        }
        let mut addends = vec![Addend::new(0, false); total as usize];
        digits().for_each(|(bucket, addend)| {
            addends[ends[bucket] as usize] = addend;
            ends[bucket] += 1;
        });
        sum_lists(points, &addends, lengths)
    }
}

/// Whether a row stands for the neutral element: x is zero.
fn is_neutral(row: &Row) -> bool {
    row[..5].iter().all(Field::is_zero)
}

/// Sums of points given by lists of indices; neutral ones are skipped.
fn sum_chosen(
    points: &[Row],
    lists: impl Iterator<Item = impl Iterator<Item = usize>>,
) -> Vec<Row> {
    let mut addends: Vec<Addend> = vec![];
    let mut lengths = vec![];
    for list in lists {
        let start = addends.len();
        let chosen = list.filter(|i| !is_neutral(&points[*i]));
        addends.extend(chosen.map(|i| Addend::new(i, false)));
        lengths.push((addends.len() - start) as u32);
    }
    sum_lists(points, &addends, lengths)
}

/// The number of bits of a digit that takes the fewest additions, for factors with so many
/// bits in all and in the longest.
fn window_bits(total: usize, longest: usize) -> usize {
    // Each digit is added to a bucket, and each bucket to a row and a column.
    let additions = |bits: &usize| total / bits + ((longest / bits + 1) << (bits - 1));
    (2..=14).min_by_key(additions).unwrap_or(2)
}

/// The number of bits without leading zeros.
fn bit_length(words: &Words) -> usize {
    let highest = words.iter().rposition(|word| *word != 0);
    highest.map_or(0, |i| 64 * (i + 1) - words[i].leading_zeros() as usize)
}

/// `count` bits from bit `start` on; zero beyond the highest word.
fn bits_at(words: &Words, start: usize, count: usize) -> i32 {
    let word = |i: usize| u128::from(words.get(i).copied().unwrap_or(0));
    let pair = word(start / 64) | word(start / 64 + 1) << 64;
    (pair >> (start % 64)) as i32 & ((1 << count) - 1)
}

#[cfg(test)]
mod tests;
