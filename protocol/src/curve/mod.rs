//! EcGFp5: a group of prime order with 160-bit security over GF(p^5), p the Goldilocks prime
//! (Thomas Pornin, "EcGFp5: a Specialized Elliptic Curve", ePrint 2022/274).
//!
//! The curve is E: y^2 = x (x^2 + a x + b) with a = 2 and b = 263 z, where z^5 = 3. It has
//! 2 n points, n prime, and one point of order two, N = (0, 0).
//!
//! **The group** is the odd-order subgroup E\[n\]. E is double-odd, so a point other than N and
//! the point at infinity is in E\[n\] exactly when its x is a square. A group element other
//! than the neutral one is an [`AffinePoint`]; the neutral one exists only as a [`Point`].
//!
//! **The encoding** of a group element is w = -y/x, five field elements. Pornin represents the
//! element P by P + N instead, whose y/x is -y/x of P (adding N maps (x, y) to
//! (b/x, -b y/x^2)), so both give each element the same encoding. Given w, the element is
//! (x, -w x) with x the square root of x^2 + (a - w^2) x + b = 0 that is itself a square: the
//! product of the two roots is b, which is no square.

mod affine;
mod constants;
mod encoding;
mod field5;
mod group;
mod hash_to_curve;
mod ladders;
mod msm;
mod packed;
mod packed_point;
mod parameters;
mod point;
mod scalar;
mod sums;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use affine::AffinePoint;
pub use constants::{
    LADDER_OFFSET, VARIABLE_BASE_OFFSET, WINDOW_BASES, WINDOW_OFFSETS, fixed_base_table,
};
pub use encoding::DecodeError;
pub use field5::{A, B, F5, elements, is_nonzero_square, mul_b, norm, sqrt};
pub(crate) use group::{are_in_group, encode_many};
pub use hash_to_curve::hash_to_curve;
pub(crate) use ladders::{mul_generator_each, mul_u128_each};
pub(crate) use msm::{Words, multi_scalar_mul};
pub(crate) use packed::LANES;
pub(crate) use packed_point::PackedPoint;
pub use parameters::{
    CHALLENGE_BITS, DIGIT_BITS, DIGIT_SIZE, DIGITS, ORDER, WINDOW_BITS, WINDOW_SIZE, WINDOWS,
};
pub use point::{GENERATOR, Point, batch_to_affine};
pub use scalar::Scalar;
