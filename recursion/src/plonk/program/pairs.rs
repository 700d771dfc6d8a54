//! Pairs of wires that stand for one element of the extension: polynomials over the [`Algebra`]
//! modulo X^2 - 7, as plonky2's `ExtensionAlgebra`.

use plonky2::field::types::Field as _;

use crate::plonk::PlonkField;
use crate::plonk::vanishing::Algebra;

use super::row;
pub(super) use super::row::Pair;

/// X^2.
const SQUARE: u64 = 7;

/// `x - y`.
pub(super) fn sub<A: Algebra>(
    a: &mut A,
    x: Pair<A::Element>,
    y: Pair<A::Element>,
) -> Pair<A::Element> {
    [row::sub(a, x[0], y[0]), row::sub(a, x[1], y[1])]
}

/// `c * x`, where c is no pair.
pub(super) fn scale<A: Algebra>(a: &mut A, c: A::Element, x: Pair<A::Element>) -> Pair<A::Element> {
    x.map(|x| a.mul(c, x))
}

/// `x * y + z`.
pub(super) fn mul_add<A: Algebra>(
    a: &mut A,
    x: Pair<A::Element>,
    y: Pair<A::Element>,
    z: Pair<A::Element>,
) -> Pair<A::Element> {
    let square = a.constant(PlonkField::from_canonical_u64(SQUARE));
    let high = a.mul(square, y[1]);
    let low = a.mul_add(x[1], high, z[0]);
    let cross = a.mul_add(x[0], y[1], z[1]);
    [a.mul_add(x[0], y[0], low), a.mul_add(x[1], y[0], cross)]
}
