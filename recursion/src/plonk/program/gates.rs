//! The constraints of the gates, over any [`Algebra`].
//!
//! plonky2 evaluates its gates in values and in targets only, so those of a settlement proof are
//! written here once more, from its gates' parameters. [`check`](super::check) compares each with
//! plonky2's own.

use core::ops::Range;

use plonky2::field::types::Field as _;
use plonky2::gates::arithmetic_base::ArithmeticGate;
use plonky2::gates::arithmetic_extension::ArithmeticExtensionGate;
use plonky2::gates::base_sum::BaseSumGate;
use plonky2::gates::constant::ConstantGate;
use plonky2::gates::coset_interpolation::CosetInterpolationGate;
use plonky2::gates::exponentiation::ExponentiationGate;
use plonky2::gates::gate::Gate as Plonky2Gate;
use plonky2::gates::multiplication_extension::MulExtensionGate;
use plonky2::gates::noop::NoopGate;
use plonky2::gates::public_input::PublicInputGate;
use plonky2::gates::random_access::RandomAccessGate;
use plonky2::gates::reducing::ReducingGate;
use plonky2::gates::reducing_extension::ReducingExtensionGate;

use super::ProgramError;
use super::pairs;
use super::row::{Row, sub};
use super::{interpolation, poseidon2};
use crate::plonk::gates::Selectors;
use crate::plonk::vanishing::Algebra;
use crate::plonk::{CommonData, D, Gate, PlonkField};
use crate::stark::Poseidon2Gate;

/// The selector that plonky2 gives the rows of other groups (`gates/selectors.rs`).
const UNUSED_SELECTOR: u32 = u32::MAX;

/// Returns the constraints of all gates, each times its selector's filter, added up place by place.
pub(super) fn all_constraints<A: Algebra>(
    a: &mut A,
    common: &CommonData,
    selectors: &Selectors,
    constants: &[A::Element],
    row: Row<'_, A::Element>,
) -> Result<Vec<A::Element>, ProgramError> {
    let zero = a.constant(PlonkField::ZERO);
    let mut sums = vec![zero; common.num_gate_constraints];
    let (selector_values, own) = constants.split_at(selectors.count);
    let row = Row {
        constants: own,
        ..row
    };
    for (i, gate, selector, group) in selectors.gates(common) {
        let many = selectors.count > 1;
        let filter = filter(a, i, group, selector_values[selector], many);
        let values = constraints(a, gate, row)?;
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = a.mul_add(filter, value, *sum);
        }
    }
    Ok(sums)
}

/// What is zero unless the row's gate is the one of this number.
fn filter<A: Algebra>(
    a: &mut A,
    gate: usize,
    group: Range<usize>,
    selector: A::Element,
    many: bool,
) -> A::Element {
    let others = group.filter(|&other| other != gate);
    let others = others.map(PlonkField::from_canonical_usize);
    let unused = many.then_some(PlonkField::from_canonical_u32(UNUSED_SELECTOR));
    let one = a.constant(PlonkField::ONE);
    others.chain(unused).fold(one, |product, other| {
        let other = a.constant(other);
        let difference = sub(a, other, selector);
        a.mul(product, difference)
    })
}

/// Returns the constraints of one gate.
pub(super) fn constraints<A: Algebra>(
    a: &mut A,
    gate: &Gate,
    row: Row<'_, A::Element>,
) -> Result<Vec<A::Element>, ProgramError> {
    let any = gate.0.as_any();
    if any.is::<NoopGate>() {
        return Ok(vec![]);
    }
    if any.is::<PublicInputGate>() {
        let pairs = row.wires.iter().zip(row.public_inputs_hash);
        return Ok(pairs.map(|(&wire, &hash)| sub(a, wire, hash)).collect());
    }
    if any.is::<Poseidon2Gate>() {
        return Ok(poseidon2::constraints(a, row.wires));
    }
    if let Some(gate) = any.downcast_ref::<ConstantGate>() {
        let count = Plonky2Gate::<PlonkField, D>::num_constants(gate);
        let places = (0..count).map(|i| (row.constants[i], row.wires[i]));
        return Ok(places.map(|(x, y)| sub(a, x, y)).collect());
    }
    if let Some(gate) = any.downcast_ref::<BaseSumGate<2>>() {
        return Ok(bits(a, gate.num_limbs, row));
    }
    if let Some(gate) = any.downcast_ref::<ArithmeticGate>() {
        return Ok(arithmetic(a, gate.num_ops, row));
    }
    if let Some(gate) = any.downcast_ref::<ArithmeticExtensionGate<D>>() {
        return Ok(arithmetic_extension(a, gate.num_ops, row));
    }
    if let Some(gate) = any.downcast_ref::<MulExtensionGate<D>>() {
        return Ok(multiplication_extension(a, gate.num_ops, row));
    }
    if let Some(gate) = any.downcast_ref::<ReducingGate<D>>() {
        return Ok(reducing(a, gate.num_coeffs, 1, row));
    }
    if let Some(gate) = any.downcast_ref::<ReducingExtensionGate<D>>() {
        return Ok(reducing(a, gate.num_coeffs, D, row));
    }
    if let Some(gate) = any.downcast_ref::<ExponentiationGate<PlonkField, D>>() {
        return Ok(exponentiation(a, gate.num_power_bits, row));
    }
    if let Some(gate) = any.downcast_ref::<RandomAccessGate<PlonkField, D>>() {
        return Ok(random_access(a, gate, row));
    }
    if let Some(gate) = any.downcast_ref::<CosetInterpolationGate<PlonkField, D>>() {
        return Ok(interpolation::constraints(a, gate, row));
    }
    let gate = gate.0.id();
    Err(ProgramError::UnknownGate { gate })
}

/// That a value is 0 or 1: `x * x - x`.
fn bit<A: Algebra>(a: &mut A, x: A::Element) -> A::Element {
    a.mul_sub(x, x, x)
}

/// The bits after wire 0, the lowest first, are its value.
fn bits<A: Algebra>(a: &mut A, count: usize, row: Row<'_, A::Element>) -> Vec<A::Element> {
    let (value, limbs) = (row.wires[0], &row.wires[1..=count]);
    let two = a.constant(PlonkField::TWO);
    let sum = a.reduce(two, limbs);
    let mut terms = vec![sub(a, sum, value)];
    terms.extend(limbs.iter().map(|&limb| bit(a, limb)));
    terms
}

/// For each four wires x, y, z, w: `w = c0 * x * y + c1 * z`.
fn arithmetic<A: Algebra>(a: &mut A, count: usize, row: Row<'_, A::Element>) -> Vec<A::Element> {
    let wires = row.wires.chunks_exact(4).take(count);
    let operation = |wires: &[A::Element]| {
        let product = a.mul(wires[0], wires[1]);
        let addend = a.mul(wires[2], row.constants[1]);
        let computed = a.mul_add(product, row.constants[0], addend);
        sub(a, wires[3], computed)
    };
    wires.map(operation).collect()
}

/// For each four pairs x, y, z, w: `w = c0 * x * y + c1 * z`.
fn arithmetic_extension<A: Algebra>(
    a: &mut A,
    count: usize,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let operation = |i| {
        let [x, y, z, w] = core::array::from_fn(|j| row.pair(8 * i + 2 * j));
        let scaled = pairs::scale(a, row.constants[0], y);
        let addend = pairs::scale(a, row.constants[1], z);
        let computed = pairs::mul_add(a, x, scaled, addend);
        pairs::sub(a, w, computed)
    };
    (0..count).flat_map(operation).collect()
}

/// For each three pairs x, y, w: `w = c0 * x * y`.
fn multiplication_extension<A: Algebra>(
    a: &mut A,
    count: usize,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let zero = a.constant(PlonkField::ZERO);
    let operation = |i| {
        let [x, y, w] = core::array::from_fn(|j| row.pair(6 * i + 2 * j));
        let scaled = pairs::scale(a, row.constants[0], y);
        let computed = pairs::mul_add(a, x, scaled, [zero; 2]);
        pairs::sub(a, w, computed)
    };
    (0..count).flat_map(operation).collect()
}

/// Horner's rule: pairs output, alpha, start; then the coefficients of so many wires; then what
/// stands after each coefficient but the last, after which the output does.
fn reducing<A: Algebra>(
    a: &mut A,
    count: usize,
    width: usize,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let [output, alpha, mut sum] = core::array::from_fn(|i| row.pair(2 * i));
    let zero = a.constant(PlonkField::ZERO);
    let sums = 6 + count * width;
    let mut terms = Vec::new();
    for i in 0..count {
        let wire = 6 + i * width;
        let coefficient = match width {
            1 => [row.wires[wire], zero],
            _ => row.pair(wire),
        };
        let next = match i + 1 == count {
            true => output,
            false => row.pair(sums + 2 * i),
        };
        let computed = pairs::mul_add(a, sum, alpha, coefficient);
        terms.extend(pairs::sub(a, computed, next));
        sum = next;
    }
    terms
}

/// Square and multiply: base, bits with the lowest first, output, and what stands after each bit.
fn exponentiation<A: Algebra>(
    a: &mut A,
    count: usize,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let wires = row.wires;
    let (base, output) = (wires[0], wires[1 + count]);
    let values = &wires[2 + count..2 + 2 * count];
    let one = a.constant(PlonkField::ONE);
    let mut last = one;
    let mut terms = Vec::new();
    for (i, &value) in values.iter().enumerate() {
        let bit = wires[count - i];
        let square = a.mul(last, last);
        // The base if the bit is 1, else 1.
        let factor = sub(a, base, one);
        let factor = a.mul_add(bit, factor, one);
        terms.push(a.mul_sub(square, factor, value));
        last = value;
    }
    terms.push(sub(a, output, last));
    terms
}

/// For each copy index, element and list; then constants; then the bits of each copy's index.
fn random_access<A: Algebra>(
    a: &mut A,
    gate: &RandomAccessGate<PlonkField, D>,
    row: Row<'_, A::Element>,
) -> Vec<A::Element> {
    let size = 1 << gate.bits;
    let two = a.constant(PlonkField::TWO);
    let mut terms = Vec::new();
    for copy in 0..gate.num_copies {
        let start = (2 + size) * copy;
        let (index, element) = (row.wires[start], row.wires[start + 1]);
        let mut list = row.wires[start + 2..start + 2 + size].to_vec();
        let bits = gate.num_routed_wires() + copy * gate.bits;
        let bits = &row.wires[bits..bits + gate.bits];
        terms.extend(bits.iter().map(|&x| bit(a, x)));
        let sum = a.reduce(two, bits);
        terms.push(sub(a, sum, index));
        for &bit in bits {
            let halves = list.chunks_exact(2).map(|pair| {
                let difference = sub(a, pair[1], pair[0]);
                a.mul_add(bit, difference, pair[0])
            });
            list = halves.collect();
        }
        terms.push(sub(a, list[0], element));
    }
    let first = (2 + size) * gate.num_copies;
    let constants = row.constants.iter().take(gate.num_extra_constants);
    let constants = constants.zip(&row.wires[first..]);
    terms.extend(constants.map(|(&constant, &wire)| sub(a, constant, wire)));
    terms
}
