//! The trace of the table of multiples of the generator.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::curve::{Scalar, WINDOW_SIZE, WINDOWS};

use super::LOG_HEIGHT;
use super::columns::WIDTH;
use shardfold_protocol::field::F;

/// 2^16 rows with the multiplicities of the digits of all scalars; the table's second copy is
/// not used.
#[must_use]
pub fn generate(scalars: &[Scalar]) -> RowMajorMatrix<F> {
    let mut multiplicities = vec![0_u32; WINDOWS * WINDOW_SIZE];
    for scalar in scalars {
        for (window, row) in multiplicities.chunks_exact_mut(WINDOW_SIZE).enumerate() {
            row[usize::from(scalar.window(window))] += 1;
        }
    }
    let mut cells: Vec<F> = multiplicities.into_iter().map(F::from_u32).collect();
    cells.resize(1 << LOG_HEIGHT, F::ZERO);
    RowMajorMatrix::new(cells, WIDTH)
}
