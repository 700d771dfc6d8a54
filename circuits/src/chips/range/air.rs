//! Constraints of the range table.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;

use super::columns::{RangeColumns, WIDTH};
use crate::bus::{ChipBuilder, RangeBus};
use shardfold_protocol::field::F;

/// The table of all 16-bit integers.
#[derive(Clone, Copy, Debug)]
pub struct RangeChip;

impl BaseAir<F> for RangeChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![RangeColumns::of(0..WIDTH).value]
    }
}

impl<AB: ChipBuilder> Air<AB> for RangeChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = RangeColumns::of(main.current_slice().iter().copied());
        let next = RangeColumns::of(main.next_slice().iter().copied());

        // The table starts at zero.
        builder.when_first_row().assert_zero(row.value);
        // It counts up by one.
        builder
            .when_transition()
            .assert_eq(next.value, row.value + AB::Expr::ONE);

        RangeBus::provide(builder, row.value.into(), row.multiplicity.into());
    }
}
