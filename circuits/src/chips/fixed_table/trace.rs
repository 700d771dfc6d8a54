//! The trace of the table of multiples of the generator.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::curve::{Scalar, WINDOW_SIZE, WINDOWS};

use super::columns::WIDTH;
use crate::config::F;

/// 2^15 rows with the multiplicities of the digits of all scalars.
#[must_use]
pub fn generate(scalars: &[Scalar]) -> RowMajorMatrix<F> {
    let mut multiplicities = vec![0_u32; WINDOWS * WINDOW_SIZE];
    for scalar in scalars {
        for (window, row) in multiplicities.chunks_exact_mut(WINDOW_SIZE).enumerate() {
            row[usize::from(scalar.window(window))] += 1;
        }
    }
    let cells = multiplicities.into_iter().map(F::from_u32);
    RowMajorMatrix::new(cells.collect(), WIDTH)
}
