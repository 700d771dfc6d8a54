//! A step of Horner's rule over the scalar field of BLS12-381, as an equation between integers.
//!
//! `value before * point + coefficient = quotient * order + value`, in limbs of 16 bits.
//! The products are compared two limbs at a time, from the lowest: what is left of each two, a
//! multiple of 2^32, is handed on.
//!
//! A sum of at most 8 products of limbs is below 2^35, and two of them with what was handed on below
//! 2^53 - 2^32 either way, so that what is to be handed on, `c`, is below 2^21 either way.
//! The range checks leave -2^21 <= c < 2^32 - 2^21.
//! Of these, 2^32 c is below 2^63 for c < 2^31, too little to be a number below 2^53 plus a
//! multiple of p; and for larger ones 2^32 c - p is between -2^63 and -2^53.
//! So what holds in the field holds for the integers, from the lowest limbs to the highest.

use p3_air::AirBuilder;
use p3_field::{Dup, PrimeCharacteristicRing};
use shardfold_protocol::data::{ORDER, VALUE_LIMBS};
use shardfold_protocol::field::F;

use super::columns::{DataColumns, PRODUCT_LIMBS};
use crate::bus::{ChipBuilder, RangeBus};

/// What is added to what is handed on, so that it is not negative.
pub(super) const CARRY_OFFSET: u32 = 1 << 21;

/// Returns the limbs of an integer below 2^256.
pub(super) fn limbs(words: &[u64; 4]) -> [u16; VALUE_LIMBS] {
    core::array::from_fn(|i| (words[i / 4] >> (16 * (i % 4))) as u16)
}

/// The next row's value is this one's times the point plus its coefficient.
pub(super) fn step<AB: ChipBuilder>(
    builder: &mut AB,
    row: &DataColumns<AB::Var>,
    next: &DataColumns<AB::Var>,
    point: &[AB::Expr],
) {
    let sums = differences::<AB>(row, next, point);
    let (pairs, _) = sums.as_chunks::<2>();
    let mut carried = AB::Expr::ZERO;
    for (i, [low, high]) in pairs.iter().enumerate() {
        let sum = low.dup() + high.dup() * F::from_u32(1 << 16) + carried;
        carried = match next.carry_low.get(i) {
            Some(&low) => low + next.carry_high[i] * F::from_u32(1 << 16) - offset::<AB>(),
            None => AB::Expr::ZERO,
        };
        let handed_on = carried.dup() * F::from_u64(1 << 32);
        builder.when_transition().assert_eq(sum, handed_on);
    }
}

fn offset<AB: AirBuilder<F = F>>() -> AB::Expr {
    AB::Expr::from(F::from_u32(CARRY_OFFSET))
}

/// What the left side of the equation has more than the right side, at each limb.
fn differences<AB: ChipBuilder>(
    row: &DataColumns<AB::Var>,
    next: &DataColumns<AB::Var>,
    point: &[AB::Expr],
) -> [AB::Expr; PRODUCT_LIMBS] {
    let mut sums = [AB::Expr::ZERO; PRODUCT_LIMBS];
    for (i, (&coefficient, &value)) in next.limbs.iter().zip(&next.value).enumerate() {
        sums[i] = coefficient - value;
    }
    for (i, &value) in row.value.iter().enumerate() {
        for (j, limb) in point.iter().enumerate() {
            sums[i + j] += limb.dup() * value;
        }
    }
    for (i, limb) in limbs(&ORDER).into_iter().enumerate() {
        for (j, &quotient) in next.quotient.iter().enumerate() {
            sums[i + j] -= quotient * F::from_u16(limb);
        }
    }
    sums
}

/// Value and quotient are of 16-bit limbs, and what is handed on, with its offset, is of two.
pub(super) fn check<AB: ChipBuilder>(builder: &mut AB, row: &DataColumns<AB::Var>) {
    let limbs = row.value.iter().chain(&row.quotient);
    for &limb in limbs.chain(&row.carry_low).chain(&row.carry_high) {
        RangeBus::check(builder, limb.into(), AB::Expr::ONE);
    }
}
