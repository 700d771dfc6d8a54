//! Constraints of the ladder s·G.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::WINDOWS;

use super::columns::{FixedBaseColumns, WIDTH};
use crate::bus::{ChipBuilder, FixedBaseBus, FixedTableBus};
use crate::gadgets::blocks::is_last;
use crate::gadgets::curve::{PointExpr, sum_x};
use crate::gadgets::quintic::Quintic;
use shardfold_protocol::field::F;

/// Ladders of 32 rows, each the product of the generator with some scalar.
#[derive(Clone, Copy, Debug)]
pub struct FixedBaseChip;

static WINDOW_NUMBERS: LazyLock<[Vec<F>; 1]> =
    LazyLock::new(|| [(0..WINDOWS).map(F::from_usize).collect()]);

impl BaseAir<F> for FixedBaseChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        WINDOW_NUMBERS.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(WINDOW_NUMBERS.as_slice())
    }
}

impl<AB: ChipBuilder> Air<AB> for FixedBaseChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = FixedBaseColumns::of(main.current_slice().iter().copied());
        let next = FixedBaseColumns::of(main.next_slice().iter().copied());
        let window: AB::Expr = builder.periodic_values()[0].into();

        // 1. Rows are numbered by their window.
        builder.assert_eq(row.window, window);
        let is_last = is_last::<AB>(row.window, next.window, WINDOWS);

        let acc = PointExpr::<AB::Expr>::of(row.x, row.y);
        let after = PointExpr::<AB::Expr>::of(next.x, next.y);
        let slope = Quintic::of(row.slope);
        let addend_x = Quintic::of(row.addend_x);
        let addend = PointExpr {
            y: acc.line_at(slope.clone(), addend_x.clone()),
            x: addend_x,
        };

        // 2. Within a ladder the next acc is acc + T.
        let sum_x = sum_x(slope.clone(), acc.x.clone(), addend.x.clone());
        let sum_y = acc.sum_y(slope, after.x.clone());
        let mut within = builder.when(AB::Expr::ONE - is_last.clone());
        within.assert_zeros((after.x.clone() - sum_x).0);
        within.assert_zeros((after.y.clone() - sum_y).0);

        // 3. After a ladder's last row the next ladder starts with T itself.
        let mut after_last = builder.when(is_last.clone());
        after_last.assert_zeros((after.x - addend.x.clone()).0);
        after_last.assert_zeros((after.y - addend.y.clone()).0);

        // T is the table's for the next row's window; the last acc is the product.
        FixedTableBus::lookup(builder, next.window.into(), addend.to_message());
        FixedBaseBus::provide(builder, acc.to_message(), is_last);
    }
}
