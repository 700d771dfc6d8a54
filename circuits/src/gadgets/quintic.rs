//! GF(p^5) = GF(p)\[z\] / (z^5 - 3) over the expressions of a constraint.

use core::ops::{Add, Mul, Neg, Sub};

use p3_field::{Algebra, PrimeCharacteristicRing};
use shardfold_protocol::curve::{F5, elements};

use shardfold_protocol::field::F;

/// c0 + c1 z + ... + c4 z^4, each coefficient an expression.
#[derive(Clone, Debug)]
pub struct Quintic<E>(pub [E; 5]);

impl<E: Algebra<F>> Quintic<E> {
    /// Returns the element whose coefficients are these cells.
    pub fn of(cells: [impl Into<E>; 5]) -> Self {
        Self(cells.map(Into::into))
    }

    /// Returns a constant.
    #[must_use]
    pub fn constant(value: F5) -> Self {
        Self(elements(&value).map(E::from))
    }

    /// Returns the square: 15 products of expressions. The degree doubles.
    #[must_use]
    pub fn square(self) -> Self {
        let c = &self.0;
        let two = |i: usize, j: usize| (c[i].clone() * c[j].clone()).double();
        let one = |i: usize| c[i].clone() * c[i].clone();
        Self([
            one(0) + (two(1, 4) + two(2, 3)) * F::from_u8(3),
            two(0, 1) + (two(2, 4) + one(3)) * F::from_u8(3),
            two(0, 2) + one(1) + two(3, 4) * F::from_u8(3),
            two(0, 3) + two(1, 2) + one(4) * F::from_u8(3),
            two(0, 4) + two(1, 3) + one(2),
        ])
    }

    /// Twice this.
    #[must_use]
    pub fn double(self) -> Self {
        Self(self.0.map(|c| c.double()))
    }

    /// Each coefficient times an expression of the base field.
    #[must_use]
    pub fn scale(self, by: &E) -> Self {
        Self(self.0.map(|c| c * by.clone()))
    }
}

impl<E: Algebra<F>> Add for Quintic<E> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut right = other.0.into_iter();
        Self(self.0.map(|c| match right.next() {
            Some(d) => c + d,
            None => c,
        }))
    }
}

impl<E: Algebra<F>> Neg for Quintic<E> {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.map(|c| -c))
    }
}

impl<E: Algebra<F>> Sub for Quintic<E> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<E: Algebra<F>> Mul for Quintic<E> {
    type Output = Self;

    /// 25 products of expressions. The degrees add up.
    fn mul(self, other: Self) -> Self {
        let (c, d) = (&self.0, &other.0);
        Self(core::array::from_fn(|k| {
            let product = |i: usize| c[i].clone() * d[(k + 5 - i) % 5].clone();
            let below = (1..=k).fold(product(0), |sum, i| sum + product(i));
            // z^5 = 3.
            match (k + 1..5).map(product).reduce(|sum, term| sum + term) {
                Some(above) => below + above * F::from_u8(3),
                None => below,
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;

    fn sample(seed: u64) -> F5 {
        F5::new(core::array::from_fn(|i| {
            F::from_u64(seed).exp_u64(40 + i as u64)
        }))
    }

    #[test]
    fn expressions_compute_what_field_elements_do() {
        let (a, b) = (sample(3), sample(1_000_003));
        let lift = Quintic::<F>::constant;
        let same = |found: Quintic<F>, expected: F5| assert_eq!(found.0, elements(&expected));
        same(lift(a) + lift(b), a + b);
        same(lift(a) - lift(b), a - b);
        same(-lift(a), -a);
        same(lift(a) * lift(b), a * b);
        same(lift(a).square(), a * a);
        same(lift(a).double(), a + a);
        same(lift(a).scale(&F::from_u8(7)), a * F::from_u8(7));
    }
}
