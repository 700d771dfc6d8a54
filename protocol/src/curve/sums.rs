//! Sums of many lists of points in affine form: additions in SIMD lanes, one inversion for
//! many of them (Montgomery's trick).
//!
//! An affine addition takes three multiplications and a share of an inversion, another three,
//! where the cheapest complete one takes nine multiplications. Its special cases (equal points,
//! opposite points, the neutral element) are found and set right lane by lane, so a party that
//! chooses the points can make this slower, but not wrong.

use p3_field::{Field, PackedValue, PrimeCharacteristicRing};

use crate::field::F;

use super::affine::AffinePoint;
use super::field5::{A, F5};
use super::packed::{LANES, Packed, PackedF5};
use super::packed_point::{PackedPoint, Row, to_row};

/// Stands for the neutral element, which has no affine form: no element of the group has
/// x = 0.
pub const NEUTRAL: AffinePoint = AffinePoint {
    x: F5::ZERO,
    y: F5::ZERO,
};

/// Additions that share an inversion: their operands stay in the second-level cache.
const BLOCK: usize = 32 * LANES;

/// An addend: a point's index, doubled, and one more when it is to be subtracted.
#[derive(Clone, Copy)]
pub struct Addend(u32);

impl Addend {
    /// Returns the point of an index, below 2^31, or its opposite.
    pub fn new(index: usize, is_negative: bool) -> Self {
        debug_assert!(index < 1 << 31, "index {index} of 2^31");
        Self((index as u32) << 1 | u32::from(is_negative))
    }

    fn index(self) -> usize {
        self.0 as usize >> 1
    }

    fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Returns the sum of each list of points: list i has the next `lengths[i]` of the addends.
pub fn sum_lists(points: &[Row], addends: &[Addend], mut lengths: Vec<u32>) -> Vec<Row> {
    let mut sums = add_neighbours(points, |i| addends[i], &mut lengths);
    while lengths.iter().any(|length| *length > 1) {
        sums = add_neighbours(&sums, |i| Addend::new(i, false), &mut lengths);
    }
    let mut sums = sums.into_iter();
    let of_list = |length: &u32| match length {
        0 => to_row(&NEUTRAL),
        _ => sums.next().unwrap_or(to_row(&NEUTRAL)),
    };
    lengths.iter().map(of_list).collect()
}

/// Two neighbours in a list to be added: where the left one is, and where the sum goes.
struct Pair {
    left: u32,
    sum: u32,
}

/// Halves each list by adding neighbours; the last of an odd number stays.
fn add_neighbours(
    points: &[Row],
    addend: impl Fn(usize) -> Addend,
    lengths: &mut [u32],
) -> Vec<Row> {
    let count: u32 = lengths.iter().map(|length| length.div_ceil(2)).sum();
    let mut sums = vec![[F::ZERO; 10]; count as usize];
    let mut pairs = Vec::with_capacity(sums.len());
    let (mut from, mut to) = (0, 0);
    for length in lengths {
        let half = *length / 2;
        pairs.extend((0..half).map(|k| Pair {
            left: from + 2 * k,
            sum: to + k,
        }));
        if *length % 2 == 1 {
            let last = addend((from + *length - 1) as usize);
            sums[(to + half) as usize] = signed(points, last);
        }
        from += *length;
        *length = length.div_ceil(2);
        to += *length;
    }
    let mut scratch = Scratch {
        addends: vec![],
        additions: vec![Addition::NONE; BLOCK / LANES],
    };
    for block in pairs.chunks(BLOCK) {
        // First copies, one right after the other, so that they wait for the cache together.
        scratch.addends.clear();
        for pair in block {
            let left = pair.left as usize;
            for addend in [addend(left), addend(left + 1)] {
                scratch
                    .addends
                    .push((points[addend.index()], addend.is_negative()));
            }
        }
        scratch.add_pairs(block, &mut sums);
    }
    sums
}

/// What additions that share an inversion are worked out in.
struct Scratch {
    /// Pairs of points, and whether each is to be subtracted.
    addends: Vec<(Row, bool)>,
    additions: Vec<Addition>,
}

impl Scratch {
    /// Adds the pairs and writes each sum to its place.
    fn add_pairs(&mut self, pairs: &[Pair], sums: &mut [Row]) {
        let mut product = PackedF5::ONE;
        for (addends, addition) in self.addends.chunks(2 * LANES).zip(&mut self.additions) {
            // Idle lanes repeat the first pair.
            let at = |i: usize| addends.get(i).unwrap_or(&addends[i % 2]);
            let left = signed_each(|lane| at(2 * lane));
            let right = signed_each(|lane| at(2 * lane + 1));
            addition.prepare(left, right, product);
            product = product * addition.denominator;
        }
        let mut inverse = product.inverse();
        for (pairs, addition) in pairs.chunks(LANES).zip(&self.additions).rev() {
            let rows = addition.sum(inverse * addition.product_before).to_rows();
            inverse = inverse * addition.denominator;
            for (pair, row) in pairs.iter().zip(&rows) {
                sums[pair.sum as usize] = *row;
            }
        }
    }
}

/// One addend's point with its sign.
fn signed(points: &[Row], addend: Addend) -> Row {
    let row = points[addend.index()];
    match addend.is_negative() {
        true => core::array::from_fn(|i| if i < 5 { row[i] } else { -row[i] }),
        false => row,
    }
}

/// Each lane's point with its sign.
#[inline]
fn signed_each<'a>(addend: impl Fn(usize) -> &'a (Row, bool)) -> PackedPoint {
    let point = PackedPoint::from_rows(|lane| &addend(lane).0);
    let is_negative: [bool; LANES] = core::array::from_fn(|lane| addend(lane).1);
    if is_negative == [false; LANES] {
        return point;
    }
    let signs = [F::ONE, F::NEG_ONE];
    let sign = Packed::from_fn(|lane| signs[usize::from(is_negative[lane])]);
    PackedPoint {
        y: point.y.scale(sign),
        ..point
    }
}

/// The addition of two points in each lane, waiting for the inverse of its denominator.
#[derive(Clone)]
struct Addition {
    left: PackedPoint,
    right_x: PackedF5,
    /// The slope's numerator, y2 - y1.
    numerator: PackedF5,
    /// The slope's denominator, x2 - x1. Never zero.
    denominator: PackedF5,
    /// The product of the denominators before this one.
    product_before: PackedF5,
}

impl Addition {
    /// Nothing yet.
    const NONE: Self = Self {
        left: PackedPoint {
            x: PackedF5::ZERO,
            y: PackedF5::ZERO,
        },
        right_x: PackedF5::ZERO,
        numerator: PackedF5::ZERO,
        denominator: PackedF5::ONE,
        product_before: PackedF5::ONE,
    };

    #[inline]
    fn prepare(&mut self, left: PackedPoint, right: PackedPoint, product_before: PackedF5) {
        self.left = left;
        self.right_x = right.x;
        self.numerator = right.y - left.y;
        self.denominator = right.x - left.x;
        self.product_before = product_before;
        if self.denominator.may_have_zero() | left.x.may_have_zero() | right.x.may_have_zero() {
            for lane in 0..LANES {
                self.set_special_lane(lane, &left.lane(lane), &right.lane(lane));
            }
        }
    }

    /// Sets one lane right where the points have the same x or one is neutral.
    #[cold]
    fn set_special_lane(&mut self, lane: usize, left: &AffinePoint, right: &AffinePoint) {
        if left.x.is_zero() {
            self.set_result(lane, right);
        } else if right.x.is_zero() {
            self.set_result(lane, left);
        } else if left == right {
            self.numerator.set_lane(lane, left.tangent_numerator());
            self.denominator.set_lane(lane, left.y.double());
        } else if left.x == right.x {
            self.set_result(lane, &NEUTRAL);
        }
    }

    /// Sets one lane such that its sum is a given point: with slope zero, the sum of (0, -y)
    /// and a point at -x - a has the coordinates x and y.
    fn set_result(&mut self, lane: usize, result: &AffinePoint) {
        self.left.x.set_lane(lane, F5::ZERO);
        self.left.y.set_lane(lane, -result.y);
        self.right_x.set_lane(lane, -result.x - A);
        self.numerator.set_lane(lane, F5::ZERO);
        self.denominator.set_lane(lane, F5::ONE);
    }

    /// The sum, as [`AffinePoint::add_with_slope`] gives it.
    #[inline]
    fn sum(&self, inverse: PackedF5) -> PackedPoint {
        let slope = self.numerator * inverse;
        let x = slope.square() - PackedF5::from(A) - self.left.x - self.right_x;
        let y = slope * (self.left.x - x) - self.left.y;
        PackedPoint { x, y }
    }
}

#[cfg(test)]
mod tests;
