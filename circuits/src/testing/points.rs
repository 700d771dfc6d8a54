//! Points beside others, for cheats with one coefficient of one coordinate.

use std::ops::Range;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{AffinePoint, F5};

use shardfold_protocol::field::F;

/// How many base field elements a coordinate has.
pub const COEFFICIENTS: usize = 5;

/// One in the coefficient `number`, zero in the others.
pub fn unit(number: usize) -> F5 {
    F5::new(core::array::from_fn(|i| F::from_bool(i == number)))
}

/// The point with one more in coefficient `number` of the ten of x and y. It is not on the
/// curve; the formulas for sums work there too.
pub fn beside(point: &AffinePoint, number: usize) -> AffinePoint {
    let mut beside = *point;
    match number.checked_sub(COEFFICIENTS) {
        None => beside.x += unit(number),
        Some(number) => beside.y += unit(number),
    }
    beside
}

/// The constraint at a position among some that are numbered one after the other.
pub const fn nth(constraints: Range<usize>, position: usize) -> Range<usize> {
    let number = constraints.start + position;
    number..number + 1
}
