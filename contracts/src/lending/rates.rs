//! What a market's interest is, packed into one element of its terms.

use p3_field::{Algebra, PrimeCharacteristicRing};
use shardfold_protocol::field::F;

use super::{MAX_FEE, MAX_SLOPE1, MAX_SLOPE2, SMALL_BITS, constant, reasons};
use crate::machine::{Machine, Reason, Rule};

/// What borrowers pay a year, and which part of it is the market's fee, in parts of a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The rate at a utilisation of nine tenths; below it in proportion. Less than 2^20.
    pub slope1: u32,
    /// What is added until everything is lent out. Less than 2^22.
    pub slope2: u32,
    /// The part of the interest that goes to the market's fee vault, as shares. At most 250,000.
    pub fee: u32,
}

impl Rates {
    /// Returns the elements of a body.
    pub(super) fn words(&self) -> [F; 3] {
        [self.slope1, self.slope2, self.fee].map(F::from_u32)
    }

    /// Returns the element of the terms.
    pub fn packed(&self) -> F {
        let [slope1, slope2, fee] = self.words();
        pack(slope1, slope2, fee)
    }
}

/// Each part has bits of its own: with the parts in their ranges the sum opens in one way.
fn pack<E: Algebra<F>>(slope1: E, slope2: E, fee: E) -> E {
    let at = |bits: u32| F::from_u64(1 << bits);
    slope1 + slope2 * at(20) + fee * at(42)
}

/// The same in a rule.
pub(super) struct RatesRead<E> {
    pub slope1: E,
    pub slope2: E,
    pub fee: E,
}

impl<E: Algebra<F>> RatesRead<E> {
    /// Reads the three parts from the body, each in its range.
    pub fn read<M: Machine<E = E>>(m: &mut M) -> Rule<Self> {
        Ok(Self {
            slope1: parameter(m, MAX_SLOPE1, &reasons::SLOPE)?,
            slope2: parameter(m, MAX_SLOPE2, &reasons::SLOPE)?,
            fee: parameter(m, MAX_FEE, &reasons::MARKET_FEE)?,
        })
    }

    pub fn words(&self) -> [E; 3] {
        [self.slope1.clone(), self.slope2.clone(), self.fee.clone()]
    }

    pub fn packed(&self) -> E {
        let [slope1, slope2, fee] = self.words();
        pack(slope1, slope2, fee)
    }
}

/// Reads an integer that is at most so much, less than 2^32.
pub(super) fn parameter<M: Machine>(
    m: &mut M,
    most: u64,
    otherwise: &'static Reason,
) -> Rule<M::E> {
    let value = m.integer(SMALL_BITS, &reasons::PARAMETER)?;
    let left = constant::<M>(most) - value.clone();
    m.range(&left, SMALL_BITS, otherwise)?;
    Ok(value)
}
