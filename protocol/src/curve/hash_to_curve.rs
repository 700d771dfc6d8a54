//! Constants of the curve whose discrete logarithms are unknown.

use p3_field::PrimeCharacteristicRing;

use crate::field::F;
use crate::hash::{Domain, hash};

use super::affine::AffinePoint;
use super::field5::F5;

/// Returns the group element of a label: the first of the candidates w(label, counter),
/// counter = 0, 1, ..., that encodes one.
///
/// A candidate's five elements are the first of `hash(CurvePoint, [label, counter, 0])` and
/// `hash(CurvePoint, [label, counter, 1])`, one after the other. About half of all w encode a
/// group element. For constants only: it does not take constant time.
#[must_use]
pub fn hash_to_curve(label: u32) -> AffinePoint {
    let block =
        |counter: u32, i: u32| hash(Domain::CurvePoint, &[label, counter, i].map(F::from_u32));
    (0..)
        .find_map(|counter| {
            let ([c0, c1, c2, c3], [c4, ..]) = (block(counter, 0), block(counter, 1));
            AffinePoint::decode(F5::new([c0, c1, c2, c3, c4]))
        })
        .expect("half of all candidates encode a group element")
}
