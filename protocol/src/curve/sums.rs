//! Sums of many lists of points in affine form: additions in SIMD lanes, one inversion for
//! many of them (Montgomery's trick).
//!
//! An affine addition takes three multiplications and a share of an inversion, another three,
//! where the cheapest complete one takes nine multiplications. Its special cases (equal points,
//! opposite points, the neutral element) are found and set right lane by lane, so whoever
//! chooses the points can make this slower, but not wrong.

use p3_field::{Field, PrimeCharacteristicRing};

use super::affine::AffinePoint;
use super::field5::{A, F5};
use super::packed::{LANES, PackedF5};

/// Stands for the neutral element, which has no affine form: no element of the group has
/// x = 0.
pub const NEUTRAL: AffinePoint = AffinePoint {
    x: F5::ZERO,
    y: F5::ZERO,
};

/// Additions that share an inversion: their operands stay in the second-level cache.
const BLOCK: usize = 32 * LANES;

/// The sum of each list of group elements: list i has `lengths[i]` of them, and `load` gives
/// them by their position in all lists one after the other.
pub fn sum_lists(mut lengths: Vec<u32>, load: impl Fn(usize) -> AffinePoint) -> Vec<AffinePoint> {
    let mut points = add_neighbours(&mut lengths, load);
    while lengths.iter().any(|length| *length > 1) {
        points = add_neighbours(&mut lengths, |i| points[i]);
    }
    let mut points = points.into_iter();
    let sums = lengths.iter().map(|length| match length {
        0 => NEUTRAL,
        _ => points.next().unwrap_or(NEUTRAL),
    });
    sums.collect()
}

/// Two neighbours in a list to be added: where the left one is, and where the sum goes.
struct Pair {
    left: u32,
    sum: u32,
}

/// Halves each list by adding neighbours; the last of an odd number stays.
fn add_neighbours(lengths: &mut [u32], load: impl Fn(usize) -> AffinePoint) -> Vec<AffinePoint> {
    let halves: u32 = lengths.iter().map(|length| length.div_ceil(2)).sum();
    let mut sums = vec![NEUTRAL; halves as usize];
    let mut pairs = Vec::with_capacity(sums.len());
    let (mut from, mut to) = (0, 0);
    for length in lengths {
        let half = *length / 2;
        pairs.extend((0..half).map(|k| Pair {
            left: from + 2 * k,
            sum: to + k,
        }));
        if *length % 2 == 1 {
            sums[(to + half) as usize] = load((from + *length - 1) as usize);
        }
        from += *length;
        *length = length.div_ceil(2);
        to += *length;
    }
    let mut additions = Vec::with_capacity(BLOCK / LANES);
    for block in pairs.chunks(BLOCK) {
        add_pairs(block, &load, &mut additions, &mut sums);
    }
    sums
}

/// Adds some pairs with one inversion; `additions` is only room to work in.
fn add_pairs(
    pairs: &[Pair],
    load: impl Fn(usize) -> AffinePoint,
    additions: &mut Vec<Addition>,
    sums: &mut [AffinePoint],
) {
    additions.clear();
    let mut product = PackedF5::ONE;
    for pairs in pairs.chunks(LANES) {
        // Idle lanes repeat the first.
        let left = |lane: usize| pairs.get(lane).unwrap_or(&pairs[0]).left as usize;
        let points = PackedPoint::from_fn(|lane| load(left(lane)));
        let others = PackedPoint::from_fn(|lane| load(left(lane) + 1));
        let addition = Addition::new(points, others, product);
        product = product * addition.denominator;
        additions.push(addition);
    }
    let mut inverse = product.inverse();
    for (pairs, addition) in pairs.chunks(LANES).zip(additions).rev() {
        let sum = addition.sum(inverse * addition.product_before);
        inverse = inverse * addition.denominator;
        for (lane, pair) in pairs.iter().enumerate() {
            sums[pair.sum as usize] = sum.lane(lane);
        }
    }
}

/// Points side by side.
#[derive(Clone, Copy)]
pub struct PackedPoint {
    /// Their x.
    pub x: PackedF5,
    /// Their y.
    pub y: PackedF5,
}

impl PackedPoint {
    /// The point of each lane.
    #[inline]
    pub fn from_fn(point: impl Fn(usize) -> AffinePoint) -> Self {
        let points: [AffinePoint; LANES] = core::array::from_fn(point);
        Self {
            x: PackedF5::from_fn(|lane| points[lane].x),
            y: PackedF5::from_fn(|lane| points[lane].y),
        }
    }

    #[inline]
    fn lane(&self, lane: usize) -> AffinePoint {
        AffinePoint {
            x: self.x.lane(lane),
            y: self.y.lane(lane),
        }
    }
}

/// The addition of two points in each lane, waiting for the inverse of its denominator.
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
    #[inline]
    fn new(left: PackedPoint, right: PackedPoint, product_before: PackedF5) -> Self {
        let mut addition = Self {
            left,
            right_x: right.x,
            numerator: right.y - left.y,
            denominator: right.x - left.x,
            product_before,
        };
        if addition.denominator.may_have_zero() | left.x.may_have_zero() | right.x.may_have_zero() {
            for lane in 0..LANES {
                addition.set_special_lane(lane, &left.lane(lane), &right.lane(lane));
            }
        }
        addition
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
