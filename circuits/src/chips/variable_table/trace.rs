//! The trace of the multiples of the keys.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::curve::{
    AffinePoint, DIGIT_BITS, DIGIT_SIZE, DIGITS, F5, VARIABLE_BASE_OFFSET, elements,
};

use super::columns::{VariableTableColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::curve::invert;
use shardfold_protocol::field::F;

/// Blocks that share their inversions.
const BATCH: usize = 128;

/// Q0 + d·P for each digit d.
pub type Multiples = [AffinePoint; DIGIT_SIZE];

/// A key and the challenge that it is multiplied by.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// The key P.
    pub base: AffinePoint,
    /// The challenge e.
    pub challenge: u128,
}

impl Product {
    /// Digit number `index` of the challenge, highest first.
    #[must_use]
    pub fn digit(&self, index: usize) -> usize {
        let shift = DIGIT_BITS * (DIGITS - 1 - index);
        (self.challenge >> shift) as usize % DIGIT_SIZE
    }
}

/// Returns one block of 16 rows for each key, and its multiples. Those of the first `used` keys are
/// looked up, by the digits of their challenges.
///
/// # Errors
///
/// [`TraceError::DegenerateAddition`] for a key that is Q0 divided by a small integer.
pub fn generate(
    products: &[Product],
    used: usize,
) -> Result<(RowMajorMatrix<F>, Vec<Multiples>), TraceError> {
    let mut cells = F::zero_vec(products.len() * DIGIT_SIZE * WIDTH);
    let multiples: Result<Vec<Vec<Multiples>>, TraceError> = cells
        .par_chunks_mut(BATCH * DIGIT_SIZE * WIDTH)
        .enumerate()
        .zip(products.par_chunks(BATCH))
        .map(|((batch, cells), products)| fill(products, [batch * BATCH, used], cells))
        .collect();
    Ok((RowMajorMatrix::new(cells, WIDTH), multiples?.concat()))
}

/// Fills the blocks of some keys, the first of them at position `first`, where those at positions
/// below `used` are looked up.
fn fill(
    products: &[Product],
    [first, used]: [usize; 2],
    cells: &mut [F],
) -> Result<Vec<Multiples>, TraceError> {
    let mut multiples = vec![[*VARIABLE_BASE_OFFSET; DIGIT_SIZE]; products.len()];
    for digit in 0..DIGIT_SIZE {
        let denominators: Vec<F5> = products
            .iter()
            .zip(&multiples)
            .map(|(product, multiples)| multiples[digit].x - product.base.x)
            .collect();
        let inverses = invert(&denominators)?;
        let blocks = cells.chunks_exact_mut(DIGIT_SIZE * WIDTH).enumerate();
        for (block, rows) in blocks {
            let (product, multiples) = (&products[block], &mut multiples[block]);
            let (multiple, inverse) = (multiples[digit], inverses[block]);
            let slope = (multiple.y - product.base.y) * inverse;
            let digits = if first + block < used { DIGITS } else { 0 };
            let times = (0..digits).filter(|i| product.digit(*i) == digit).count();
            let row = VariableTableColumns::of(&mut rows[digit * WIDTH..(digit + 1) * WIDTH]);
            *row.position = F::from_usize(first + block);
            *row.digit = F::from_usize(digit);
            *row.multiplicity = F::from_usize(times);
            write(row.x, elements(&multiple.x));
            write(row.y, elements(&multiple.y));
            write(row.base_x, elements(&product.base.x));
            write(row.slope, elements(&slope));
            write(row.inverse, elements(&inverse));
            if let Some(after) = multiples.get_mut(digit + 1) {
                *after = multiple.add_with_slope(&product.base, slope);
            }
        }
    }
    Ok(multiples)
}
