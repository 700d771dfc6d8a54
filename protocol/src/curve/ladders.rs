//! Multiples of the generator from its table, and multiples of different points side by side,
//! one in each SIMD lane.

use super::constants::{LADDER_OFFSET, fixed_base_table};
use super::packed::{LANES, PackedF5};
use super::packed_point::PackedPoint;
use super::parameters::{WINDOW_SIZE, WINDOWS};
use super::point::Point;
use super::scalar::Scalar;

impl Point {
    /// Returns the multiple of the generator by a scalar, from [`fixed_base_table`].
    #[must_use]
    pub fn mul_generator(scalar: &Scalar) -> Self {
        fixed_base_table()
            .chunks_exact(WINDOW_SIZE)
            .enumerate()
            .fold(-Self::from(*LADDER_OFFSET), |sum, (i, row)| {
                sum + row[scalar.window(i) as usize]
            })
    }
}

/// Returns the multiple of each lane's point by that lane's factor.
pub fn mul_u128_each(points: &PackedPoint, factors: &[u128; LANES]) -> Point<PackedF5> {
    let digits = (0..32)
        .rev()
        .map(|i| factors.map(|factor| (factor >> (4 * i)) as usize % 16));
    Point::from_coordinates(points.x, points.y).mul_digits(digits, |multiples, digits| {
        Point::select(multiples, &digits)
    })
}

/// Returns the multiple of the generator by each lane's scalar, from [`fixed_base_table`].
pub fn mul_generator_each(scalars: &[Scalar; LANES]) -> Point<PackedF5> {
    let offset = -Point::from(*LADDER_OFFSET);
    let table = fixed_base_table();
    (0..WINDOWS).fold(Point::broadcast(&offset), |sum, window| {
        let row = &table[window * WINDOW_SIZE..][..WINDOW_SIZE];
        let addend = PackedPoint::from_fn(|lane| row[usize::from(scalars[lane].window(window))]);
        sum.add_coordinates(addend.x, addend.y)
    })
}
