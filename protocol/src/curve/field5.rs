//! The field of the curve, GF(p^5) = GF(p)\[z\] / (z^5 - 3), and the curve's coefficients.

use p3_field::extension::{BinomialExtensionField, HasFrobenius};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};

use crate::field::{F, MODULUS};

/// An element c0 + c1 z + ... + c4 z^4 of GF(p^5), z^5 = 3.
pub type F5 = BinomialExtensionField<F, 5>;

/// The coefficient a = 2 of the curve.
pub const A: F5 = F5::new([F::new(2), F::new(0), F::new(0), F::new(0), F::new(0)]);

/// The coefficient b = 263 z of the curve.
pub const B: F5 = F5::new([F::new(0), F::new(263), F::new(0), F::new(0), F::new(0)]);

/// Returns the five coefficients of an element, c0 first.
pub fn elements(value: &F5) -> [F; 5] {
    let coefficients = value.as_basis_coefficients_slice();
    core::array::from_fn(|i| coefficients[i])
}

/// `b * value` in five multiplications of the base field.
#[inline]
pub fn mul_b(value: &F5) -> F5 {
    let [c0, c1, c2, c3, c4] = elements(value);
    let b = F::new(263);
    F5::new([F::new(3 * 263) * c4, b * c0, b * c1, b * c2, b * c3])
}

/// Returns the norm of an element over GF(p): its power (p^5 - 1) / (p - 1) = 1 + p + ... + p^4.
pub fn norm(value: &F5) -> F {
    let p_plus_p2 = (*value * value.frobenius()).frobenius();
    let conjugates = p_plus_p2 * p_plus_p2.repeated_frobenius(2);
    elements(&(*value * conjugates))[0]
}

/// Returns whether an element is nonzero and a square: its Legendre symbol is that of its norm,
/// since (p^5 - 1) / 2 is the norm's exponent times (p - 1) / 2.
#[must_use]
pub fn is_nonzero_square(value: &F5) -> bool {
    norm(value).exp_u64((MODULUS - 1) / 2) == F::ONE
}

/// Returns a square root, or `None` of a non-square. Takes variable time.
///
/// With r = 1 + p + ... + p^4, the square of a^((r + 1) / 2) is a times the norm of a, which
/// leaves a root in the base field. The power is cheap, because
/// (r - 1) / 2 = p (1 + p^2) (p + 1) / 2 is mostly Frobenius maps.
#[must_use]
pub fn sqrt(value: &F5) -> Option<F5> {
    if value.is_zero() {
        return Some(F5::ZERO);
    }
    let half = value.exp_u64(MODULUS.div_ceil(2)).frobenius();
    let power = half * half.repeated_frobenius(2);
    let root_times_norm_root = *value * power;
    let norm = elements(&(root_times_norm_root * power))[0];
    Some(root_times_norm_root * sqrt_base(norm)?.inverse())
}

/// A square root of a nonzero element of the base field (Tonelli and Shanks).
fn sqrt_base(value: F) -> Option<F> {
    // p - 1 = 2^32 q with q = 2^32 - 1 odd.
    let half_power = value.exp_u64((1 << 31) - 1);
    let mut root = value * half_power;
    let mut error = root * half_power;
    let mut generator = F::two_adic_generator(F::TWO_ADICITY);
    let mut generator_log_order = F::TWO_ADICITY;
    // Invariant: root^2 = value * error, and error is in the group of order 2^(k - 1) when
    // value is a square, where generator has order 2^k.
    while error != F::ONE {
        let mut log_order = 0;
        let mut power = error;
        while power != F::ONE {
            power = power.square();
            log_order += 1;
        }
        if log_order >= generator_log_order {
            return None;
        }
        let factor = generator.exp_power_of_2(generator_log_order - log_order - 1);
        generator = factor.square();
        generator_log_order = log_order;
        root *= factor;
        error *= generator;
    }
    Some(root)
}
