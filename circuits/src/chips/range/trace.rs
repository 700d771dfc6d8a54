//! The trace of the range table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::LOG_RANGE;
use super::columns::WIDTH;
use shardfold_protocol::field::F;

/// Returns the table, 2^16 rows, with the multiplicities of the values asked for.
#[must_use]
pub fn generate(asked: &[u16]) -> RowMajorMatrix<F> {
    let mut multiplicities = vec![0_u32; 1 << LOG_RANGE];
    for &value in asked {
        multiplicities[usize::from(value)] += 1;
    }
    let values = multiplicities
        .into_iter()
        .enumerate()
        .flat_map(|(value, multiplicity)| [F::from_usize(value), F::from_u32(multiplicity)])
        .collect();
    RowMajorMatrix::new(values, WIDTH)
}
