//! The one field of the system: Goldilocks, p = 2^64 - 2^32 + 1.

use p3_field::{PrimeCharacteristicRing, PrimeField64};

/// An element of the base field.
pub type F = p3_goldilocks::Goldilocks;

/// The order of the field, p = 2^64 - 2^32 + 1.
pub const MODULUS: u64 = F::ORDER_U64;

/// Returns the field element of an integer below the modulus, or `None` above it.
///
/// Everything that enters the system as an integer goes through here or is bounded by its
/// type, so that no two integers stand for one element.
#[must_use]
pub fn canonical(value: u64) -> Option<F> {
    (value < MODULUS).then(|| F::from_u64(value))
}
