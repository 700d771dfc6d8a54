//! The trace of the compressions.

use foldhash::{HashMap, HashMapExt};
use p3_field::{Field, PackedValue, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use super::columns::{Poseidon2Columns, WIDTH};
use super::rounds::{Registers, permute};
use crate::error::TraceError;
use shardfold_protocol::field::F;

/// As many field elements as the machine computes with at once.
type Packed = <F as Field>::Packing;

/// Returns one row for each distinct input, given out as often as it is there; the other rows compress
/// zeros, given out zero times.
///
/// # Errors
///
/// [`TraceError::TooManyRows`] if there are more than `2^log_height` distinct inputs.
pub fn generate(inputs: &[[F; 8]], log_height: usize) -> Result<RowMajorMatrix<F>, TraceError> {
    let (inputs, times) = distinct(inputs);
    TraceError::check_rows("poseidon2", inputs.len(), log_height)?;
    let columns = Poseidon2Columns::of(0..WIDTH);
    let mut values = F::zero_vec(WIDTH << log_height);
    let (rows, _) = values.as_chunks_mut::<WIDTH>();
    rows.par_chunks_mut(Packed::WIDTH)
        .enumerate()
        .for_each(|(chunk, rows)| {
            let start = (chunk * Packed::WIDTH).min(inputs.len());
            fill(rows, &inputs[start..], &columns);
        });
    for (row, &times) in rows.iter_mut().zip(&times) {
        row[columns.multiplicity] = F::from_u32(times);
    }
    Ok(RowMajorMatrix::new(values, WIDTH))
}

/// The distinct inputs in the order in which they first occur, and how often each does.
fn distinct(inputs: &[[F; 8]]) -> (Vec<[F; 8]>, Vec<u32>) {
    let mut row_of = HashMap::with_capacity(inputs.len());
    let (mut distinct, mut times) = (Vec::with_capacity(inputs.len()), vec![]);
    for input in inputs {
        let row = *row_of.entry(input).or_insert(distinct.len());
        if row == distinct.len() {
            distinct.push(*input);
            times.push(0);
        }
        times[row] += 1;
    }
    (distinct, times)
}

/// Fills up to [`Packed::WIDTH`] rows.
fn fill(rows: &mut [[F; WIDTH]], inputs: &[[F; 8]], columns: &Poseidon2Columns<usize>) {
    let input = Packed::pack_columns_fn(|lane| inputs.get(lane).copied().unwrap_or_default());
    let mut registers = Fill {
        cells: [Packed::ZERO; WIDTH],
    };
    for (column, value) in columns.input.into_iter().zip(input) {
        registers.cells[column] = value;
    }
    // The result lies in the last registers.
    let _ = permute(&mut registers, columns, input);
    for (lane, row) in rows.iter_mut().enumerate() {
        for (cell, packed) in row.iter_mut().zip(&registers.cells) {
            *cell = packed.extract(lane);
        }
    }
}

/// Writes each value into its column.
struct Fill {
    cells: [Packed; WIDTH],
}

impl Registers<usize> for Fill {
    type Value = Packed;

    fn hold(&mut self, column: usize, value: Packed) -> Packed {
        self.cells[column] = value;
        value
    }

    fn constant(&self, constant: F) -> Packed {
        constant.into()
    }
}
