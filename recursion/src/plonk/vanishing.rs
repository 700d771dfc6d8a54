//! The identity at the out-of-domain point, written once for values and for targets.
//!
//! At zeta, and for each alpha, `vanishing = (zeta^n - 1) * quotient`, where n is the number of
//! rows. `vanishing` combines by powers of alpha, with those of each challenge side by side:
//!
//! 1. `L_0(zeta) * (Z(zeta) - 1)`: the product of the copy constraints starts at one;
//! 2. for each few routed wires, that the product goes on:
//!    `before * prod(wire + beta * k * zeta + gamma) - after * prod(wire + beta * sigma + gamma)`;
//! 3. the constraints of the gates, which plonky2 evaluates.

use core::iter;

use plonky2::field::extension::FieldExtension as _;
use plonky2::field::types::Field as _;
use plonky2::iop::ext_target::ExtensionTarget;
use plonky2::iop::target::Target;
use plonky2::util::reducing::ReducingFactorTarget;

use super::challenges::Challenges;
use super::openings::Openings;
use super::transcript::Pair;
use super::{Builder, CommonData, D, Extension, PlonkField};

/// Arithmetic in the extension field.
pub(super) trait Algebra {
    /// An element of the base field.
    type Word: Copy;
    /// An element of the extension field.
    type Element: Copy;
    fn constant(&mut self, value: PlonkField) -> Self::Element;
    fn lift(&mut self, word: Self::Word) -> Self::Element;
    fn pair(&mut self, pair: Pair<Self::Word>) -> Self::Element;
    fn add(&mut self, x: Self::Element, y: Self::Element) -> Self::Element;
    fn mul(&mut self, x: Self::Element, y: Self::Element) -> Self::Element;
    /// `x * y + z`.
    fn mul_add(&mut self, x: Self::Element, y: Self::Element, z: Self::Element) -> Self::Element;
    /// `x * y - z`.
    fn mul_sub(&mut self, x: Self::Element, y: Self::Element, z: Self::Element) -> Self::Element;
    /// `x / y`; y is not zero.
    fn div(&mut self, x: Self::Element, y: Self::Element) -> Self::Element;
    /// The sum of the terms, each times a power of the base: the first as it is.
    fn reduce(&mut self, base: Self::Element, terms: &[Self::Element]) -> Self::Element;
}

/// Returns both sides of the identity for each alpha; `gates` are the constraints of the gates.
pub(super) fn identities<A: Algebra>(
    a: &mut A,
    common: &CommonData,
    openings: &Openings<'_, A::Element>,
    challenges: &Challenges<A::Word>,
    gates: &[A::Element],
) -> Vec<[A::Element; 2]> {
    let one = a.constant(PlonkField::ONE);
    let zeta = a.pair(challenges.zeta);
    let power = (0..common.degree_bits()).fold(zeta, |power, _| a.mul(power, power));
    let zeros = a.mul_sub(one, power, one);

    let mut terms = first_products(a, common, openings, zeta, zeros);
    terms.extend(copy_constraints(a, common, openings, challenges, zeta));
    terms.extend(gates);

    let chunks = openings.quotient.chunks(common.quotient_degree_factor);
    let alphas = challenges.alphas.iter();
    alphas
        .zip(chunks)
        .map(|(&alpha, chunk)| {
            let alpha = a.lift(alpha);
            let vanishing = a.reduce(alpha, &terms);
            let quotient = a.reduce(power, chunk);
            [vanishing, a.mul(zeros, quotient)]
        })
        .collect()
}

/// Term 1, for each challenge: `L_0` is one in the first row and zero in all others.
fn first_products<A: Algebra>(
    a: &mut A,
    common: &CommonData,
    openings: &Openings<'_, A::Element>,
    zeta: A::Element,
    zeros: A::Element,
) -> Vec<A::Element> {
    let rows = a.constant(PlonkField::from_canonical_usize(common.degree()));
    let denominator = a.mul_sub(rows, zeta, rows);
    let first = a.div(zeros, denominator);
    let zs = openings.zs.iter();
    zs.map(|&z| a.mul_sub(first, z, first)).collect()
}

/// Terms 2, for each challenge and each few routed wires.
fn copy_constraints<A: Algebra>(
    a: &mut A,
    common: &CommonData,
    openings: &Openings<'_, A::Element>,
    challenges: &Challenges<A::Word>,
    zeta: A::Element,
) -> Vec<A::Element> {
    let shifts = common.k_is.iter().take(common.config.num_routed_wires);
    let places: Vec<A::Element> = shifts
        .map(|&shift| {
            let shift = a.constant(shift);
            a.mul(shift, zeta)
        })
        .collect();
    // One row's products: Z itself, the partial ones, and Z at the next row.
    let partial_products = openings.partial_products;
    let mut partial_products = partial_products.chunks(common.num_partial_products.max(1));
    let zs = openings.zs.iter().zip(openings.zs_next);
    let copy = challenges.copy.betas.iter().zip(&challenges.copy.gammas);
    let mut terms = Vec::new();
    for ((&z, &z_next), (&beta, &gamma)) in zs.zip(copy) {
        let (beta, gamma) = (a.lift(beta), a.lift(gamma));
        let wires = openings.wires.iter().zip(openings.sigmas).zip(&places);
        let factors: Vec<[A::Element; 2]> = wires
            .map(|((&wire, &sigma), &place)| {
                let shifted = a.add(wire, gamma);
                [
                    a.mul_add(beta, place, shifted),
                    a.mul_add(beta, sigma, shifted),
                ]
            })
            .collect();
        let partial = partial_products.next().unwrap_or_default();
        let befores = iter::once(&z).chain(partial);
        let afters = partial.iter().chain(iter::once(&z_next));
        let chunks = factors.chunks(common.quotient_degree_factor);
        for (chunk, (&before, &after)) in chunks.zip(befores.zip(afters)) {
            terms.push(product_goes_on(a, chunk, before, after));
        }
    }
    terms
}

/// `before * (the first factors) - after * (the second factors)`.
fn product_goes_on<A: Algebra>(
    a: &mut A,
    factors: &[[A::Element; 2]],
    before: A::Element,
    after: A::Element,
) -> A::Element {
    let mut product = |side: fn(&[A::Element; 2]) -> A::Element| {
        let factors = factors.iter().map(side);
        factors.reduce(|product, factor| a.mul(product, factor))
    };
    // There is a chunk, so it has factors.
    let numerator = product(|&[factor, _]| factor).unwrap_or(before);
    let denominator = product(|&[_, factor]| factor).unwrap_or(after);
    let subtracted = a.mul(after, denominator);
    a.mul_sub(before, numerator, subtracted)
}

/// Arithmetic of values.
pub(super) struct Values;

// Arithmetic in a field has no overflow.
#[allow(clippy::arithmetic_side_effects)]
impl Algebra for Values {
    type Word = PlonkField;
    type Element = Extension;

    fn constant(&mut self, value: PlonkField) -> Extension {
        Extension::from(value)
    }

    fn lift(&mut self, word: PlonkField) -> Extension {
        Extension::from(word)
    }

    fn pair(&mut self, pair: Pair<PlonkField>) -> Extension {
        Extension::from_basefield_array(pair)
    }

    fn add(&mut self, x: Extension, y: Extension) -> Extension {
        x + y
    }

    fn mul(&mut self, x: Extension, y: Extension) -> Extension {
        x * y
    }

    fn mul_add(&mut self, x: Extension, y: Extension, z: Extension) -> Extension {
        x * y + z
    }

    fn mul_sub(&mut self, x: Extension, y: Extension, z: Extension) -> Extension {
        x * y - z
    }

    fn div(&mut self, x: Extension, y: Extension) -> Extension {
        y.try_inverse().unwrap_or_default() * x
    }

    fn reduce(&mut self, base: Extension, terms: &[Extension]) -> Extension {
        let terms = terms.iter().rev();
        terms.fold(Extension::ZERO, |sum, &term| sum * base + term)
    }
}

/// Arithmetic of targets, by plonky2's cheapest gates.
pub(super) struct Targets<'a>(pub &'a mut Builder);

impl Algebra for Targets<'_> {
    type Word = Target;
    type Element = ExtensionTarget<D>;

    fn constant(&mut self, value: PlonkField) -> Self::Element {
        self.0.constant_extension(Extension::from(value))
    }

    fn lift(&mut self, word: Target) -> Self::Element {
        self.0.convert_to_ext(word)
    }

    fn pair(&mut self, pair: Pair<Target>) -> Self::Element {
        ExtensionTarget(pair)
    }

    fn add(&mut self, x: Self::Element, y: Self::Element) -> Self::Element {
        self.0.add_extension(x, y)
    }

    fn mul(&mut self, x: Self::Element, y: Self::Element) -> Self::Element {
        self.0.mul_extension(x, y)
    }

    fn mul_add(&mut self, x: Self::Element, y: Self::Element, z: Self::Element) -> Self::Element {
        self.0.mul_add_extension(x, y, z)
    }

    fn mul_sub(&mut self, x: Self::Element, y: Self::Element, z: Self::Element) -> Self::Element {
        self.0.mul_sub_extension(x, y, z)
    }

    /// Unsatisfiable where `y` is zero.
    fn div(&mut self, x: Self::Element, y: Self::Element) -> Self::Element {
        self.0.div_extension(x, y)
    }

    fn reduce(&mut self, base: Self::Element, terms: &[Self::Element]) -> Self::Element {
        ReducingFactorTarget::new(base).reduce(terms, self.0)
    }
}
