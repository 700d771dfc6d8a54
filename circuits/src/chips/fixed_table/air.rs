//! Constraints of the table of multiples of the generator.

use std::borrow::Cow;
use std::sync::LazyLock;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{WINDOW_BASES, WINDOW_OFFSETS, WINDOWS, elements};

use super::columns::{FixedTableColumns, WIDTH};
use crate::bus::{ChipBuilder, FixedTableBus};
use crate::cells::Cells;
use crate::gadgets::curve::{Line, PointExpr, sum_x};
use shardfold_protocol::field::F;

/// Blocks of multiples of the generator, each of one window.
#[derive(Clone, Copy, Debug)]
pub struct FixedTableChip;

/// What a block that starts on some row starts with. These are the periodic columns: row r may
/// start a block of window r modulo 32.
struct Start<T> {
    window: T,
    /// O_w.
    offset: [[T; 5]; 2],
    /// B_w.
    base: [[T; 5]; 2],
}

/// Number of periodic columns.
const STARTS_WIDTH: usize = size_of::<Start<u8>>();

impl<T> Start<T> {
    fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            window: cells.one(),
            offset: [cells.array(), cells.array()],
            base: [cells.array(), cells.array()],
        }
    }
}

static STARTS: LazyLock<[Vec<F>; STARTS_WIDTH]> = LazyLock::new(|| {
    let mut columns = [const { Vec::new() }; STARTS_WIDTH];
    for window in 0..WINDOWS {
        let (offset, base) = (WINDOW_OFFSETS[window], WINDOW_BASES[window]);
        let coordinates = [offset.x, offset.y, base.x, base.y].map(|c| elements(&c));
        let cells = [F::from_usize(window)].into_iter();
        let cells = cells.chain(coordinates.into_iter().flatten());
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }
    columns
});

impl BaseAir<F> for FixedTableChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_periodic_columns(&self) -> usize {
        STARTS_WIDTH
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(STARTS.as_slice())
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        let FixedTableColumns {
            is_start,
            window,
            multiplicity: _,
            x,
            y,
            base_x,
            slope,
        } = FixedTableColumns::of(0..WIDTH);
        [&[is_start, window][..], &x, &y, &base_x, &slope].concat()
    }
}

impl<AB: ChipBuilder> Air<AB> for FixedTableChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = FixedTableColumns::of(main.current_slice().iter().copied());
        let next = FixedTableColumns::of(main.next_slice().iter().copied());
        let start = Start::of(builder.periodic_values().iter().copied());

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

        // 1. The first row starts a block.
        builder.when_first_row().assert_one(row.is_start);

        // 2. A block starts with w, O_w and B_w of its place.
        let [offset, base_at_start] =
            [start.offset, start.base].map(|[x, y]| PointExpr::<AB::Expr>::of(x, y));
        let mut at_start = builder.when(row.is_start);
        at_start.assert_eq(row.window, start.window);
        at_start.assert_zeros((multiple.x.clone() - offset.x).0);
        at_start.assert_zeros((multiple.y.clone() - offset.y).0);
        at_start.assert_zeros((base.x.clone() - base_at_start.x).0);
        at_start.assert_zeros((base.y.clone() - base_at_start.y).0);

        // 3. Within a block the next M is M + B_w, and w and B_w stay the same.
        let sum_x = sum_x(slope.clone(), multiple.x.clone(), base.x.clone());
        let sum_y = multiple.sum_y(slope, after.x.clone());
        let mut within = builder.when(AB::Expr::ONE - next.is_start.into());
        within.assert_eq(next.window, row.window);
        within.assert_zeros((after.x - sum_x).0);
        within.assert_zeros((after.y - sum_y).0);
        within.assert_zeros((base_after.x - base.x).0);
        within.assert_zeros((base_after.y - base.y).0);

        // Each M is given out under its window.
        FixedTableBus::provide(
            builder,
            row.window.into(),
            multiple.to_message(),
            row.multiplicity.into(),
        );
    }
}
