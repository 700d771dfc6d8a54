//! Exact divisions and square roots of integers.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;

/// One exact division, of `a b` by `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Division {
    /// A factor, below 2^62.
    pub a: u64,
    /// The other factor, below 2^62.
    pub b: u64,
    /// The divisor, at most 2^62.
    pub d: u64,
    /// Whether the quotient is rounded up.
    pub is_up: bool,
}

impl Division {
    /// Of the integers that these elements stand for.
    pub(super) fn of(a: &F, b: &F, d: &F, is_up: bool) -> Self {
        Self {
            a: a.as_canonical_u64(),
            b: b.as_canonical_u64(),
            d: d.as_canonical_u64(),
            is_up,
        }
    }

    /// Returns quotient and remainder, of `a b` or of `a b + d - 1`; `None` if the divisor is
    /// zero, or if one of the numbers is out of bounds or the quotient is 2^62 or more.
    #[must_use]
    pub fn result(&self) -> Option<(u64, u64)> {
        let Self { a, b, d, is_up } = *self;
        let is_bounded = a.max(b) < AMOUNT_LIMIT && (1..=AMOUNT_LIMIT).contains(&d);
        if !is_bounded {
            return None;
        }
        let added = if is_up { d - 1 } else { 0 };
        let dividend = u128::from(a) * u128::from(b) + u128::from(added);
        let quotient = u64::try_from(dividend / u128::from(d)).ok()?;
        // Below the divisor: one division of so many bits is slow enough.
        let remainder = (dividend - u128::from(quotient) * u128::from(d)) as u64;
        (quotient < AMOUNT_LIMIT).then_some((quotient, remainder))
    }
}

/// The square root of a product of integers, rounded down.
pub(super) fn root(a: &F, b: &F) -> F {
    let product = u128::from(a.as_canonical_u64()) * u128::from(b.as_canonical_u64());
    // Below 2^64, and below 2^62 for factors below 2^62.
    F::from_u64(product.isqrt() as u64)
}
