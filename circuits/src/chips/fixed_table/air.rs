//! The table of multiples of the generator: all preprocessed but the multiplicities.

use std::sync::LazyLock;

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::curve::{WINDOW_SIZE, elements, fixed_base_table};

use super::columns::{FixedTableColumns, FixedTableEntry, PREPROCESSED_WIDTH, WIDTH};
use crate::bus::{ChipBuilder, FixedTableBus};
use crate::gadgets::curve::PointExpr;
use shardfold_protocol::field::F;

/// The multiples of the generator for all windows and digits.
#[derive(Clone, Copy, Debug)]
pub struct FixedTableChip;

/// Built once; the prover asks for it several times.
static PREPROCESSED: LazyLock<RowMajorMatrix<F>> = LazyLock::new(|| {
    let entries = fixed_base_table().iter().enumerate();
    let cells = entries.flat_map(|(i, point)| {
        let window = F::from_usize(i / WINDOW_SIZE);
        let coordinates = [elements(&point.x), elements(&point.y)];
        [window]
            .into_iter()
            .chain(coordinates.into_iter().flatten())
    });
    let table: Vec<F> = cells.collect();
    RowMajorMatrix::new(table.repeat(2), PREPROCESSED_WIDTH)
});

impl BaseAir<F> for FixedTableChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        Some(PREPROCESSED.clone())
    }

    fn preprocessed_width(&self) -> usize {
        PREPROCESSED_WIDTH
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: ChipBuilder> Air<AB> for FixedTableChip {
    fn eval(&self, builder: &mut AB) {
        let preprocessed = builder.preprocessed().current_slice();
        let entry = FixedTableEntry::of(preprocessed.iter().copied());
        let main = builder.main();
        let row = FixedTableColumns::of(main.current_slice().iter().copied());
        FixedTableBus::provide(
            builder,
            entry.window.into(),
            PointExpr::of(entry.x, entry.y).to_message(),
            row.multiplicity.into(),
        );
    }
}
