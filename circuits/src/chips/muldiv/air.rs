//! Constraints of an exact division.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;

use super::columns::{LIMBS, MulDivColumns, WIDTH};
use crate::bus::{ChipBuilder, MulDivBus, RangeBus};
use crate::gadgets::amount::value;
use shardfold_protocol::field::F;

/// Exact divisions of products.
#[derive(Clone, Copy, Debug)]
pub struct MulDivChip;

impl BaseAir<F> for MulDivChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // More than is needed, so that two messages of a bus share one column.
        Some(3)
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

type Row<AB> = MulDivColumns<<AB as p3_air::AirBuilder>::Var>;

impl<AB: ChipBuilder> Air<AB> for MulDivChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: Row<AB> = MulDivColumns::of(main.current_slice().iter().copied());
        let [a, b, d] = [&row.a, &row.b, &row.d].map(|limbs| value::<AB>(limbs));
        let quotient = value::<AB>(&row.quotient);
        let remainder = value::<AB>(&row.remainder);

        builder.assert_bool(row.up);
        // The remainder is below the divisor.
        let highest = d.clone() - AB::Expr::ONE;
        let lack = value::<AB>(&row.lack);
        builder.assert_eq(remainder.clone() + lack, highest.clone());
        // The division holds in the field.
        let dividend = a.clone() * b.clone() + highest * row.up;
        builder.assert_eq(dividend, quotient.clone() * d.clone() + remainder);
        // It holds modulo 2^64.
        low_half(builder, &row);

        ranges(builder, &row);
        let multiplicity = row.multiplicity.into();
        MulDivBus::provide(builder, [a, b, d], quotient, row.up.into(), multiplicity);
    }
}

/// The two sides agree in their low 32 bits, and with the carry in the 32 bits above.
fn low_half<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    let base = F::from_u32(1 << 16);
    // What is left of limb k of both sides, carries apart.
    let part = |k: usize| {
        let products = (0..=k).fold(AB::Expr::ZERO, |sum, i| {
            sum + row.a[i] * row.b[k - i] - row.quotient[i] * row.d[k - i]
        });
        let one = AB::Expr::from_bool(k == 0);
        products - row.remainder[k] + (AB::Expr::from(row.d[k]) - one) * row.up
    };
    let [carry, carry_above] = row
        .carries
        .each_ref()
        .map(|carry| value::<AB>(carry) - F::from_u64(1 << 31));
    let low = part(0) + part(1) * base;
    builder.assert_eq(low, carry.clone() * F::from_u64(1 << 32));
    let above = part(2) + part(3) * base + carry;
    builder.assert_eq(above, carry_above * F::from_u64(1 << 32));
}

/// Limbs are limbs, and no number is written in another way than the one below p.
fn ranges<AB: ChipBuilder>(builder: &mut AB, row: &Row<AB>) {
    for &limb in row.limbs() {
        RangeBus::check(builder, limb.into(), AB::Expr::ONE);
    }
    let [a, b, d] = [&row.a, &row.b, &row.d].map(|limbs| limbs[LIMBS - 1]);
    let three = AB::Expr::from_u8(3);
    RangeBus::check(builder, three + a + b + d, AB::Expr::ONE);
    // A quarter of a 16-bit value that is itself of 16 bits has 14 bits.
    let quotient = row.quotient[LIMBS - 1];
    RangeBus::check(builder, quotient * F::from_u8(4), AB::Expr::ONE);
    let sum = row.remainder[LIMBS - 1] + row.lack[LIMBS - 1];
    RangeBus::check(builder, sum * F::from_u8(4), AB::Expr::ONE);
}
