//! The trace of the ladders s·G.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::curve::{
    AffinePoint, F5, Scalar, WINDOW_SIZE, WINDOWS, elements, fixed_base_table,
};

use super::columns::{FixedBaseColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::curve::invert;
use shardfold_protocol::field::F;

/// Ladders that share their inversions.
const BATCH: usize = 128;

/// The trace, and the product s·G + K of each ladder.
pub type Ladders = (RowMajorMatrix<F>, Vec<AffinePoint>);

/// Returns one ladder of 32 rows for each scalar.
///
/// # Errors
///
/// [`TraceError::DegenerateAddition`] for a scalar that is infeasible to find.
pub fn generate(scalars: &[Scalar]) -> Result<Ladders, TraceError> {
    let mut cells = F::zero_vec(scalars.len() * WINDOWS * WIDTH);
    let batches = cells.par_chunks_mut(BATCH * WINDOWS * WIDTH).enumerate();
    let products: Result<Vec<Vec<AffinePoint>>, TraceError> = batches
        .map(|(batch, cells)| fill(scalars, batch * BATCH, cells))
        .collect();
    Ok((RowMajorMatrix::new(cells, WIDTH), products?.concat()))
}

/// The table's point for a window of a scalar.
fn addend(scalar: &Scalar, window: usize) -> AffinePoint {
    fixed_base_table()[window * WINDOW_SIZE + usize::from(scalar.window(window))]
}

/// Fills the ladders from number `first` on; returns their products.
fn fill(scalars: &[Scalar], first: usize, cells: &mut [F]) -> Result<Vec<AffinePoint>, TraceError> {
    let ladders = first..first + cells.len() / (WINDOWS * WIDTH);
    let mut acc: Vec<AffinePoint> = ladders.clone().map(|l| addend(&scalars[l], 0)).collect();
    for window in 0..WINDOWS {
        let is_last = window + 1 == WINDOWS;
        let addends: Vec<AffinePoint> = ladders
            .clone()
            .map(|l| match is_last {
                false => addend(&scalars[l], window + 1),
                true => addend(&scalars[(l + 1) % scalars.len()], 0),
            })
            .collect();
        let denominators: Vec<F5> = acc.iter().zip(&addends).map(|(p, q)| p.x - q.x).collect();
        let inverses = invert(&denominators)?;
        for (ladder, rows) in cells.chunks_exact_mut(WINDOWS * WIDTH).enumerate() {
            let (p, q) = (acc[ladder], addends[ladder]);
            let slope = (p.y - q.y) * inverses[ladder];
            let row = FixedBaseColumns::of(&mut rows[window * WIDTH..(window + 1) * WIDTH]);
            *row.window = F::from_usize(window);
            write(row.x, elements(&p.x));
            write(row.y, elements(&p.y));
            write(row.addend_x, elements(&q.x));
            write(row.slope, elements(&slope));
            if !is_last {
                acc[ladder] = p.add_with_slope(&q, slope);
            }
        }
    }
    Ok(acc)
}
