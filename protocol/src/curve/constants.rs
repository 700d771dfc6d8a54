//! The fixed points of the two ladders with which the chips check s G = R + e P.
//!
//! The chips add in affine form, which has no neutral element and cannot add a point to itself,
//! so both ladders start from, and mix in, points with no known discrete logarithm. The
//! offsets are chosen so that they are the same for both: with K = [`LADDER_OFFSET`],
//!
//! * the variable-base ladder starts at C0 and for each of the 128 bits of e, highest first,
//!   doubles and adds Q1 = Q0 + P for a one or Q0 for a zero. It ends at E' = e P + K, where
//!   K = 2^128 C0 + (2^128 - 1) Q0;
//! * the fixed-base ladder starts at B0 = K - (O_0 + ... + O_31) and for each window w of 10
//!   bits adds T\[w\]\[d\] = d 2^(10 w) G + O_w, d the window's digit of s. It ends at
//!   S' = s G + K.
//!
//! So s G = R + e P exactly when S' = R + E'.

use std::sync::LazyLock;

use super::affine::AffinePoint;
use super::hash_to_curve::hash_to_curve;
use super::point::{GENERATOR, Point, batch_to_affine};

/// Bits of a challenge: steps of the variable-base ladder.
pub const CHALLENGE_BITS: usize = 128;
/// Bits of a window of the fixed-base ladder.
pub const WINDOW_BITS: usize = 10;
/// Windows of a scalar: steps of the fixed-base ladder.
pub const WINDOWS: usize = 32;
/// Digits of a window: points of one row of [`fixed_base_table`].
pub const WINDOW_SIZE: usize = 1 << WINDOW_BITS;

/// C0, where the variable-base ladder starts.
pub static VARIABLE_BASE_START: LazyLock<AffinePoint> = LazyLock::new(|| hash_to_curve(1));

/// Q0, what the variable-base ladder adds for a zero bit.
pub static VARIABLE_BASE_OFFSET: LazyLock<AffinePoint> = LazyLock::new(|| hash_to_curve(2));

/// O_w, the offset of each window of the fixed-base ladder.
pub static WINDOW_OFFSETS: LazyLock<[AffinePoint; WINDOWS]> =
    LazyLock::new(|| core::array::from_fn(|w| hash_to_curve(16 + w as u32)));

/// K = 2^128 C0 + (2^128 - 1) Q0, by which both ladders' ends are off.
pub static LADDER_OFFSET: LazyLock<AffinePoint> = LazyLock::new(|| {
    let start = Point::from(*VARIABLE_BASE_START);
    let offset = Point::from(*VARIABLE_BASE_OFFSET).mul_u128(u128::MAX);
    to_constant(start.mul_u128(u128::MAX) + start + offset)
});

/// B0 = K - (O_0 + ... + O_31), where the fixed-base ladder starts.
pub static FIXED_BASE_START: LazyLock<AffinePoint> = LazyLock::new(|| {
    let start = Point::from(*LADDER_OFFSET);
    to_constant(
        WINDOW_OFFSETS
            .iter()
            .fold(start, |sum, offset| sum + -*offset),
    )
});

static FIXED_BASE_TABLE: LazyLock<Vec<AffinePoint>> = LazyLock::new(build_fixed_base_table);

/// The affine form of a constant.
fn to_constant(point: Point) -> AffinePoint {
    point
        .to_affine()
        .expect("a sum of hashed points is not neutral")
}

/// The table of the fixed-base ladder, `WINDOWS * WINDOW_SIZE` points:
/// `table[w * 1024 + d] = d * 2^(10 w) * G + O_w`. Built at first use.
#[must_use]
pub fn fixed_base_table() -> &'static [AffinePoint] {
    &FIXED_BASE_TABLE
}

fn build_fixed_base_table() -> Vec<AffinePoint> {
    let mut points = Vec::with_capacity(WINDOWS * WINDOW_SIZE);
    let mut base = *GENERATOR;
    for offset in WINDOW_OFFSETS.iter() {
        let mut entry = Point::from(*offset);
        for _ in 0..WINDOW_SIZE {
            points.push(entry);
            entry = entry + base;
        }
        let next = (0..WINDOW_BITS).fold(Point::from(base), |point, _| point.double());
        base = to_constant(next);
    }
    batch_to_affine(&points).expect("a hashed point plus a known multiple of G is not neutral")
}
