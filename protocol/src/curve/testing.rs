//! For tests.

use p3_field::{Field, PrimeCharacteristicRing};

use super::affine::AffinePoint;
use super::field5::B;

/// The point P + N = (b/x, -b y/x^2) of the curve, outside of the group, with the same encoding
/// as P.
pub fn outside(point: &AffinePoint) -> AffinePoint {
    let inverse = point.x.inverse();
    AffinePoint {
        x: B * inverse,
        y: -B * point.y * inverse.square(),
    }
}
