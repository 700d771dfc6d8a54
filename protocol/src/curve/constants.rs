//! The fixed points of the two ladders with which the chips check s G = R + e P.
//!
//! The chips add in affine form, which has no neutral element and cannot add a point to itself,
//! so both ladders mix in points with no known discrete logarithm. The offsets are chosen so
//! that they add up to the same for both, K = [`LADDER_OFFSET`]:
//!
//! * the variable-base ladder takes the 32 digits of e, of 4 bits each, highest first. It
//!   starts with Q0 + d P for the first digit d; for each further digit d it multiplies by 16
//!   and adds Q0 + d P. It ends at E' = e P + K, where K = (1 + 16 + ... + 16^31) Q0
//!   = (2^128 - 1) / 15 Q0;
//! * the fixed-base ladder adds up, for each window w of 10 bits, T\[w\]\[d\] =
//!   d 2^(10 w) G + O_w, d the window's digit of s. O_1 to O_31 are hashed and
//!   O_0 = K - (O_1 + ... + O_31), so it ends at S' = s G + K.
//!
//! So s G = R + e P exactly when S' = R + E'.
//!
//! Nothing under a `LazyLock` may use rayon: its workers take these constants too, so a thread
//! that initialises one and waits for workers would wait for ever.

use std::sync::LazyLock;

use super::affine::AffinePoint;
use super::hash_to_curve::hash_to_curve;
use super::parameters::{DIGIT_SIZE, WINDOW_BITS, WINDOW_SIZE, WINDOWS};
use super::point::{GENERATOR, Point, batch_to_affine};

/// Q0, added to every multiple of a public key.
pub static VARIABLE_BASE_OFFSET: LazyLock<AffinePoint> = LazyLock::new(|| hash_to_curve(2));

/// K = (2^128 - 1) / 15 Q0, by which both ladders' ends are off.
pub static LADDER_OFFSET: LazyLock<AffinePoint> = LazyLock::new(|| {
    let factor = u128::MAX / (DIGIT_SIZE as u128 - 1);
    to_constant(Point::from(*VARIABLE_BASE_OFFSET).mul_u128(factor))
});

/// O_w, the offset of each window of the fixed-base ladder. They add up to K.
pub static WINDOW_OFFSETS: LazyLock<[AffinePoint; WINDOWS]> = LazyLock::new(|| {
    let mut offsets = core::array::from_fn(|w| hash_to_curve(16 + w as u32));
    let start = Point::from(*LADDER_OFFSET);
    offsets[0] = to_constant(
        offsets[1..]
            .iter()
            .fold(start, |sum, offset| sum + -*offset),
    );
    offsets
});

/// B_w = 2^(10 w) G, of which the points of each window of the fixed-base ladder are multiples.
pub static WINDOW_BASES: LazyLock<[AffinePoint; WINDOWS]> = LazyLock::new(|| {
    let mut bases = [*GENERATOR; WINDOWS];
    for w in 1..WINDOWS {
        let before = Point::from(bases[w - 1]);
        bases[w] = to_constant((0..WINDOW_BITS).fold(before, |point, _| point.double()));
    }
    bases
});

static FIXED_BASE_TABLE: LazyLock<Vec<AffinePoint>> = LazyLock::new(build_fixed_base_table);

/// The affine form of a constant.
fn to_constant(point: Point) -> AffinePoint {
    point
        .to_affine()
        .expect("neither a sum of hashed points nor a power of two times G is neutral")
}

/// Returns the table of the fixed-base ladder, `WINDOWS * WINDOW_SIZE` points:
/// `table[w * 1024 + d] = d * 2^(10 w) * G + O_w`. Built at first use.
#[must_use]
pub fn fixed_base_table() -> &'static [AffinePoint] {
    &FIXED_BASE_TABLE
}

fn build_fixed_base_table() -> Vec<AffinePoint> {
    let mut points = Vec::with_capacity(WINDOWS * WINDOW_SIZE);
    for (offset, base) in WINDOW_OFFSETS.iter().zip(WINDOW_BASES.iter()) {
        let mut entry = Point::from(*offset);
        for _ in 0..WINDOW_SIZE {
            points.push(entry);
            entry = entry + *base;
        }
    }
    batch_to_affine(&points).expect("a hashed point plus a known multiple of G is not neutral")
}
