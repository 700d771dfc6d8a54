//! The equation of a signature, s G = R + e P, checked for many at once.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use crate::curve::{
    AffinePoint, PackedPoint, Point, Scalar, Words, elements, mul_generator_each, mul_u128_each,
    multi_scalar_mul,
};
use crate::field::F;

/// s G = R + e P, with R and P in the group.
#[derive(Clone, Copy, Debug)]
pub struct Equation {
    /// P.
    pub public_key: AffinePoint,
    /// e.
    pub challenge: u128,
    /// R.
    pub r: AffinePoint,
    /// s.
    pub s: Scalar,
}

/// Returns whether each of up to [`LANES`] equations holds: one in each SIMD lane.
pub fn hold_each(equations: &[Equation]) -> Vec<bool> {
    // Idle lanes repeat the first equation.
    let of_lane = |lane: usize| equations.get(lane).unwrap_or(&equations[0]);
    let public_keys = PackedPoint::from_fn(|lane| of_lane(lane).public_key);
    let r = PackedPoint::from_fn(|lane| of_lane(lane).r);
    let challenges = core::array::from_fn(|lane| of_lane(lane).challenge);
    let s = core::array::from_fn(|lane| of_lane(lane).s);
    let right = mul_u128_each(&public_keys, &challenges).add_coordinates(r.x, r.y);
    let holds = mul_generator_each(&s).difference(&right).zero_lanes();
    holds[..equations.len()].to_vec()
}

/// Returns whether all equations hold; with probability at most 1/(2^128 - 1) it is wrongly said
/// that they do.
///
/// Multiplies each equation by a random nonzero weight of 128 bits and checks the sum of all
/// (Bellare, Garay, Rabin, "Fast batch verification for modular exponentiation and digital
/// signatures", 1998, the small exponents test). The group has prime order, so when one
/// equation is wrong, then whatever the other weights, at most one value of its own weight
/// makes the sum right, of 2^128 - 1.
pub fn hold_together(equations: &[Equation], rng: &mut StdRng) -> bool {
    let mut sum = WeightedSum::default();
    for equation in equations {
        sum.add(equation, nonzero(rng));
    }
    let Terms { points, factors } = sum.right;
    multi_scalar_mul(&points, &factors) == Point::mul_generator(&Scalar::reduce(&sum.left))
}

/// The sum of equations, each multiplied by a weight.
#[derive(Default)]
struct WeightedSum {
    /// The factor of G on the left.
    left: [u64; 10],
    right: Terms,
    /// Where a key's term is, by the lowest element of its x. Another key with the same element
    /// has terms of its own.
    keys: HashMap<F, usize>,
}

/// Multiples of points.
#[derive(Default)]
struct Terms {
    points: Vec<AffinePoint>,
    factors: Vec<Words>,
}

impl WeightedSum {
    fn add(&mut self, equation: &Equation, weight: u128) {
        add_product(&mut self.left, weight, &equation.s.words());
        self.right.push(equation.r, words(weight));
        // Often one key has signed many times; its factors are added up.
        let [lowest, ..] = elements(&equation.public_key.x);
        let new = self.right.points.len();
        let mut place = *self.keys.entry(lowest).or_insert(new);
        if self.right.points.get(place) != Some(&equation.public_key) {
            place = new;
            self.right.push(equation.public_key, [0; 5]);
        }
        let challenge = words(equation.challenge);
        add_product(&mut self.right.factors[place], weight, &challenge);
    }
}

impl Terms {
    fn push(&mut self, point: AffinePoint, factor: Words) {
        self.points.push(point);
        self.factors.push(factor);
    }
}

/// A uniformly random nonzero weight.
fn nonzero(rng: &mut impl Rng) -> u128 {
    loop {
        let weight: u128 = rng.random();
        if weight != 0 {
            return weight;
        }
    }
}

/// A weight or a challenge as 64-bit words, lowest first.
fn words(value: u128) -> Words {
    [value as u64, (value >> 64) as u64, 0, 0, 0]
}

/// Adds a product to a sum; both are of 64-bit words, lowest first, and the sum is long
/// enough for it.
fn add_product(sum: &mut [u64], weight: u128, factor: &Words) {
    for (i, weight) in [weight as u64, (weight >> 64) as u64]
        .into_iter()
        .enumerate()
    {
        let mut carry = 0;
        for (word, factor) in sum[i..].iter_mut().zip(factor) {
            (*word, carry) = weight.carrying_mul_add(*factor, *word, carry);
        }
        for word in sum.iter_mut().skip(i + 5) {
            let overflows;
            (*word, overflows) = word.overflowing_add(carry);
            carry = u64::from(overflows);
        }
    }
}

#[cfg(test)]
mod tests;
