//! The constraints of plonky2's gate that interpolates on a coset.

use plonky2::field::types::Field as _;
use plonky2::gates::coset_interpolation::CosetInterpolationGate;

use super::pairs::{self, Pair};
use super::row::{Row, sub};
use crate::plonk::vanishing::Algebra;
use crate::plonk::{D, PlonkField};

/// Where the wires are: the shift, a pair for each value, point, result; then a pair for each
/// part's sum, one for each part's product, and the point over the shift.
struct Wires {
    point: usize,
    sums: usize,
    /// How many sums there are, and how many products.
    parts: usize,
}

/// Barycentric interpolation in parts. With t_i = x - x_i for the point x over the shift, value
/// y_i and weight w_i, a step is `(sum, product) -> (sum * t_i + w_i * y_i * product, product *
/// t_i)`; after as many steps as the gate's degree allows, sum and product are wires.
pub(super) fn constraints<A: Algebra>(
    a: &mut A,
    gate: &CosetInterpolationGate<PlonkField, D>,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let points = 1 << gate.subgroup_bits;
    let wires = Wires {
        point: 1 + 2 * points,
        sums: 5 + 2 * points,
        parts: (points - 2) / (gate.degree - 1),
    };
    let shifted = row.pair(wires.sums + 4 * wires.parts);
    let scaled = pairs::scale(a, row.wires[0], shifted);
    let mut terms = pairs::sub(a, row.pair(wires.point), scaled).to_vec();

    let (zero, one) = (a.constant(PlonkField::ZERO), a.constant(PlonkField::ONE));
    let mut state = [[zero; 2], [one, zero]];
    let mut start = 0;
    for part in 0..=wires.parts {
        let steps = if part == 0 {
            gate.degree
        } else {
            gate.degree - 1
        };
        let end = (start + steps).min(points);
        for i in start..end {
            state = step(a, gate, row, i, shifted, state);
        }
        start = end;
        if part < wires.parts {
            let sum = row.pair(wires.sums + 2 * part);
            let product = row.pair(wires.sums + 2 * (wires.parts + part));
            terms.extend(pairs::sub(a, sum, state[0]));
            terms.extend(pairs::sub(a, product, state[1]));
            state = [sum, product];
        }
    }
    terms.extend(pairs::sub(a, row.pair(wires.point + 2), state[0]));
    terms
}

/// One value's step on sum and product.
fn step<A: Algebra>(
    a: &mut A,
    gate: &CosetInterpolationGate<PlonkField, D>,
    row: Row<'_, A::Element>,
    i: usize,
    shifted: Pair<A::Element>,
    [sum, product]: [Pair<A::Element>; 2],
) -> [Pair<A::Element>; 2] {
    let zero = a.constant(PlonkField::ZERO);
    let root = PlonkField::primitive_root_of_unity(gate.subgroup_bits);
    let root = a.constant(root.exp_u64(i as u64));
    let weight = a.constant(gate.barycentric_weights[i]);
    let term = [sub(a, shifted[0], root), shifted[1]];
    let value = pairs::scale(a, weight, row.pair(1 + 2 * i));
    let weighted = pairs::mul_add(a, value, product, [zero; 2]);
    [
        pairs::mul_add(a, sum, term, weighted),
        pairs::mul_add(a, product, term, [zero; 2]),
    ]
}
