//! Which of many points are in the group, and their encodings.

use p3_field::{Field, PackedValue, PrimeCharacteristicRing, batch_multiplicative_inverse};

use crate::field::F;

use super::affine::AffinePoint;
use super::field5::{B, F5};
use super::packed::{LANES, Packed, PackedF5, legendre_symbols};
use super::packed_point::PackedPoint;

/// Registers worked on together: their powers are independent chains of squarings.
const REGISTERS: usize = 4;

/// What [`encode_many`] finds out about a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The encoding w = -y/x; zero where x is zero.
    pub w: F5,
    /// Whether the point is in the group.
    pub is_in_group: bool,
}

/// [`AffinePoint::is_in_group`] of each point, in SIMD lanes.
#[must_use]
pub fn are_in_group(points: &[AffinePoint]) -> Vec<bool> {
    let encodings = encode_many(points).into_iter();
    encodings.map(|encoding| encoding.is_in_group).collect()
}

/// [`AffinePoint::encode`] and [`AffinePoint::is_in_group`] of each point, in SIMD lanes.
#[must_use]
pub fn encode_many(points: &[AffinePoint]) -> Vec<Encoding> {
    let encode = |points: &[AffinePoint]| {
        let encodings = encode_registers(points).into_iter().flatten();
        encodings.take(points.len()).collect::<Vec<_>>()
    };
    points.chunks(REGISTERS * LANES).flat_map(encode).collect()
}

/// The encodings of up to as many points as there are lanes; idle lanes repeat the first.
fn encode_registers(points: &[AffinePoint]) -> [[Encoding; LANES]; REGISTERS] {
    let registers: [PackedPoint; REGISTERS] = core::array::from_fn(|register| {
        PackedPoint::from_fn(|lane| {
            let point = points.get(register * LANES + lane);
            *point.unwrap_or(&points[0])
        })
    });
    let norms = registers.map(|points| points.x.norm());
    let symbols = legendre_symbols(norms.map(|(norm, _)| norm));
    // Where the norm is zero, so is its cofactor, which makes w zero.
    let inverses = inverses_or_one(norms.map(|(norm, _)| norm));
    core::array::from_fn(|register| {
        let PackedPoint { x, y } = registers[register];
        // x^2 + a x + b with a = 2.
        let right = x * (x.square() + x.double() + PackedF5::from(B));
        let off_curve = y.square() - right;
        let inverse = norms[register].1.scale(inverses[register]);
        let w = -(y * inverse);
        core::array::from_fn(|lane| Encoding {
            w: w.lane(lane),
            is_in_group: symbols[register].as_slice()[lane] == F::ONE
                && off_curve.lane(lane).is_zero(),
        })
    })
}

/// The inverse of each element, one for zero.
fn inverses_or_one(values: [Packed; REGISTERS]) -> [Packed; REGISTERS] {
    let or_one = |value: F| if value.is_zero() { F::ONE } else { value };
    let lanes = values.iter().flat_map(|value| value.as_slice());
    let inverses =
        batch_multiplicative_inverse(&lanes.map(|lane| or_one(*lane)).collect::<Vec<_>>());
    core::array::from_fn(|register| Packed::from_fn(|lane| inverses[register * LANES + lane]))
}

#[cfg(test)]
mod tests;
