//! The trace of the table of multiples of the generator.

use std::sync::LazyLock;

use p3_field::{Field, PrimeCharacteristicRing, batch_multiplicative_inverse_general};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::curve::{
    F5, Scalar, WINDOW_BASES, WINDOW_OFFSETS, WINDOW_SIZE, WINDOWS, elements,
};

use super::LOG_HEIGHT;
use super::columns::{FixedTableColumns, WIDTH};
use crate::cells::write;
use shardfold_protocol::field::F;

/// Rows of a block: one more than a window has digits, so that the block after it starts on a row
/// of the next window's place.
pub const BLOCK: usize = WINDOW_SIZE + 1;

/// One block for each window, without multiplicities.
///
/// Nothing here uses rayon, as this initialises a `LazyLock`: see
/// `protocol/src/curve/constants.rs`. No denominator is zero: a test looks at all of them.
static BLOCKS: LazyLock<Vec<F>> = LazyLock::new(|| {
    let mut cells = F::zero_vec(WINDOWS * BLOCK * WIDTH);
    let mut multiples = *WINDOW_OFFSETS;
    for digit in 0..BLOCK {
        let denominators: [F5; WINDOWS] =
            core::array::from_fn(|w| multiples[w].x - WINDOW_BASES[w].x);
        let mut inverses = [F5::ZERO; WINDOWS];
        batch_multiplicative_inverse_general(&denominators, &mut inverses, |product| {
            product.inverse()
        });
        let blocks = cells.chunks_exact_mut(BLOCK * WIDTH).enumerate();
        for (window, rows) in blocks {
            let (multiple, base) = (multiples[window], WINDOW_BASES[window]);
            let slope = (multiple.y - base.y) * inverses[window];
            let row = FixedTableColumns::of(&mut rows[digit * WIDTH..(digit + 1) * WIDTH]);
            *row.is_start = F::from_bool(digit == 0);
            *row.window = F::from_usize(window);
            write(row.x, elements(&multiple.x));
            write(row.y, elements(&multiple.y));
            write(row.base_x, elements(&base.x));
            write(row.slope, elements(&slope));
            multiples[window] = multiple.add_with_slope(&base, slope);
        }
    }
    cells
});

/// 2^16 rows with the multiplicities of the digits of all scalars: a block for each window, and
/// the same once more as far as there are rows, with nothing given out.
#[must_use]
pub fn generate(scalars: &[Scalar]) -> RowMajorMatrix<F> {
    let mut multiplicities = vec![0_u32; WINDOWS * BLOCK];
    for scalar in scalars {
        for (window, block) in multiplicities.chunks_exact_mut(BLOCK).enumerate() {
            block[usize::from(scalar.window(window))] += 1;
        }
    }
    let mut cells = BLOCKS.clone();
    cells.extend_from_slice(&BLOCKS[..(WIDTH << LOG_HEIGHT) - BLOCKS.len()]);
    for (row, multiplicity) in cells.chunks_exact_mut(WIDTH).zip(multiplicities) {
        *FixedTableColumns::of(row).multiplicity = F::from_u32(multiplicity);
    }
    RowMajorMatrix::new(cells, WIDTH)
}
