//! Constraints of the multiples of the keys.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{DIGIT_SIZE, VARIABLE_BASE_OFFSET};

use super::columns::{VariableTableColumns, WIDTH};
use crate::bus::{BaseBus, ChipBuilder, VariableTableBus};
use crate::gadgets::blocks::{constrain_places, is_last};
use crate::gadgets::curve::{Line, PointExpr, one, sum_x};
use crate::gadgets::quintic::Quintic;
use shardfold_protocol::field::F;

/// Blocks of 16 rows, the multiples of one key each.
#[derive(Clone, Copy, Debug)]
pub struct VariableTableChip;

static DIGITS: LazyLock<[Vec<F>; 1]> =
    LazyLock::new(|| [(0..DIGIT_SIZE).map(F::from_usize).collect()]);

impl BaseAir<F> for VariableTableChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        DIGITS.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(DIGITS.as_slice())
    }
}

impl<AB: ChipBuilder> Air<AB> for VariableTableChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = VariableTableColumns::of(main.current_slice().iter().copied());
        let next = VariableTableColumns::of(main.next_slice().iter().copied());
        let digit: AB::Expr = builder.periodic_values()[0].into();

        // 1. Rows are numbered by their digit.
        builder.assert_eq(row.digit, digit);
        let is_last = is_last::<AB>(row.digit, next.digit, DIGIT_SIZE);
        // 2. Blocks are numbered by their position.
        constrain_places(builder, 0, row.position, next.position, is_last.clone());

        let Line {
            multiple,
            slope,
            base,
        } = Line::<AB::Expr>::of(row.x, row.y, row.slope, row.base_x);
        let Line {
            multiple: after,
            base: base_after,
            ..
        } = Line::<AB::Expr>::of(next.x, next.y, next.slope, next.base_x);

        // 3. A block starts with Q0.
        let offset = PointExpr::<AB::Expr>::constant(&VARIABLE_BASE_OFFSET);
        let mut after_last = builder.when(is_last.clone());
        after_last.assert_zeros((after.x.clone() - offset.x).0);
        after_last.assert_zeros((after.y.clone() - offset.y).0);

        // 4. M and P have different x.
        let difference = multiple.x.clone() - base.x.clone();
        builder.assert_zeros((difference * Quintic::of(row.inverse) - one()).0);

        // 5. Within a block the next M is M + P.
        let sum_x = sum_x(slope.clone(), multiple.x.clone(), base.x.clone());
        let sum_y = multiple.sum_y(slope, after.x.clone());
        let mut within = builder.when(AB::Expr::ONE - is_last.clone());
        within.assert_zeros((after.x - sum_x).0);
        within.assert_zeros((after.y - sum_y).0);

        // 6. Within a block P stays the same.
        within.assert_zeros((base_after.x - base.x.clone()).0);
        within.assert_zeros((base_after.y - base.y.clone()).0);

        // P is the key of the signature at this position, M its multiple.
        BaseBus::provide(builder, row.position.into(), base.to_message(), is_last);
        VariableTableBus::provide(
            builder,
            row.position.into(),
            row.digit.into(),
            multiple.to_message(),
            row.multiplicity.into(),
        );
    }
}
