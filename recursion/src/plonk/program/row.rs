//! What the constraints of a gate are about, and what they all need.

use plonky2::field::types::Field as _;

use crate::plonk::PlonkField;
use crate::plonk::vanishing::Algebra;

/// Two wires as an element of the extension: `[c0, c1]` is `c0 + c1 * X`.
pub(super) type Pair<E> = [E; 2];

/// What a gate's constraints are about: one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a, E> {
    /// The gate's constants, without the selectors.
    pub constants: &'a [E],
    pub wires: &'a [E],
    pub public_inputs_hash: &'a [E; 4],
}

impl<E: Copy> Row<'_, E> {
    /// The pair in two wires.
    pub fn pair(&self, wire: usize) -> Pair<E> {
        [self.wires[wire], self.wires[wire + 1]]
    }
}

/// `x - y`.
pub(super) fn sub<A: Algebra>(a: &mut A, x: A::Element, y: A::Element) -> A::Element {
    let one = a.constant(PlonkField::ONE);
    a.mul_sub(one, x, y)
}
