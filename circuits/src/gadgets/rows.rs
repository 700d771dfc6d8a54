//! Traces of chips with one row per step.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use crate::error::TraceError;
use shardfold_protocol::field::F;

/// A trace of `2^log_height` rows: one per step, filled by `fill`, then rows of zeros.
///
/// # Errors
///
/// More steps than rows, or the first error of `fill`.
pub fn trace<S>(
    chip: &'static str,
    width: usize,
    log_height: usize,
    steps: &[S],
    mut fill: impl FnMut(&S, &mut [F]) -> Result<(), TraceError>,
) -> Result<RowMajorMatrix<F>, TraceError> {
    TraceError::check_rows(chip, steps.len(), log_height)?;
    let mut values = F::zero_vec(width << log_height);
    for (step, row) in steps.iter().zip(values.chunks_exact_mut(width)) {
        fill(step, row)?;
    }
    Ok(RowMajorMatrix::new(values, width))
}
