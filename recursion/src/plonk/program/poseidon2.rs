//! The constraints of our Poseidon2 gate, which are generic already.

use plonky2::field::types::Field as _;

use super::row::sub;
use crate::plonk::PlonkField;
use crate::plonk::vanishing::Algebra;
use crate::stark::{Arithmetic, poseidon2_constraints};

/// Returns the constraints on these wires.
pub(super) fn constraints<A: Algebra>(a: &mut A, wires: &[A::Element]) -> Vec<A::Element> {
    let mut terms = Vec::new();
    let emit = |term| terms.push(term);
    poseidon2_constraints(&mut Gates(a), |column| wires[column], emit);
    terms
}

/// The gates' [`Arithmetic`] by an [`Algebra`].
struct Gates<'a, A>(&'a mut A);

impl<A: Algebra> Arithmetic for Gates<'_, A> {
    type Value = A::Element;

    fn add(&mut self, x: A::Element, y: A::Element) -> A::Element {
        self.0.add(x, y)
    }

    fn sub(&mut self, x: A::Element, y: A::Element) -> A::Element {
        sub(self.0, x, y)
    }

    fn mul(&mut self, x: A::Element, y: A::Element) -> A::Element {
        self.0.mul(x, y)
    }

    fn add_constant(&mut self, x: A::Element, c: u64) -> A::Element {
        let c = self.0.constant(PlonkField::from_canonical_u64(c));
        self.0.add(x, c)
    }

    fn mul_constant_add(&mut self, c: u64, x: A::Element, y: A::Element) -> A::Element {
        let c = self.0.constant(PlonkField::from_canonical_u64(c));
        self.0.mul_add(c, x, y)
    }
}
