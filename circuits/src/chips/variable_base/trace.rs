//! The trace of the ladders e·P.

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::curve::{AffinePoint, DIGITS, F5, elements};

use super::columns::{VariableBaseColumns, WIDTH};
use crate::cells::write;
use crate::chips::variable_table::{Multiples, Product};
use crate::error::TraceError;
use crate::gadgets::curve::invert;
use shardfold_protocol::field::F;

/// Ladders that share their inversions.
const BATCH: usize = 128;

/// The trace, and the product e·P + K of each ladder.
pub type Ladders = (RowMajorMatrix<F>, Vec<AffinePoint>);

/// Returns one ladder of 32 rows for each product, the first for the signature at position `first`;
/// `multiples` has those of each key.
///
/// # Errors
///
/// [`TraceError::DegenerateAddition`] for a key whose logarithm to the base Q0 is known.
pub fn generate(
    products: &[Product],
    multiples: &[Multiples],
    first: usize,
) -> Result<Ladders, TraceError> {
    let mut cells = F::zero_vec(products.len() * DIGITS * WIDTH);
    let ends: Result<Vec<Vec<AffinePoint>>, TraceError> = cells
        .par_chunks_mut(BATCH * DIGITS * WIDTH)
        .enumerate()
        .map(|(batch, cells)| fill(products, multiples, [batch * BATCH, first], cells))
        .collect();
    Ok((RowMajorMatrix::new(cells, WIDTH), ends?.concat()))
}

/// Fills the ladders from number `start` on, where number 0 has position `first`; returns their
/// products.
fn fill(
    products: &[Product],
    multiples: &[Multiples],
    [start, first]: [usize; 2],
    cells: &mut [F],
) -> Result<Vec<AffinePoint>, TraceError> {
    let ladders = start..start + cells.len() / (DIGITS * WIDTH);
    let multiple = |ladder: usize, index: usize| {
        let ladder = ladder % products.len();
        multiples[ladder][products[ladder].digit(index)]
    };
    for (ladder, rows) in ladders.clone().zip(cells.chunks_exact_mut(DIGITS * WIDTH)) {
        let before = (ladder + products.len() - 1) % products.len();
        fill_scalar(&products[ladder], &products[before], rows);
        for row in rows.chunks_exact_mut(WIDTH) {
            *VariableBaseColumns::of(row).position = F::from_usize(first + ladder);
        }
    }
    let mut acc: Vec<AffinePoint> = ladders.clone().map(|l| multiple(l, 0)).collect();
    for index in 0..DIGITS {
        let is_last = index + 1 == DIGITS;
        let addends: Vec<AffinePoint> = match is_last {
            false => ladders.clone().map(|l| multiple(l, index + 1)).collect(),
            true => ladders.clone().map(|l| multiple(l + 1, 0)).collect(),
        };
        let steps = steps(&acc, &addends)?;
        let row_of_each = cells.chunks_exact_mut(WIDTH).skip(index).step_by(DIGITS);
        for (((cells, acc), step), addend) in row_of_each.zip(&mut acc).zip(&steps).zip(&addends) {
            *VariableBaseColumns::of(&mut *cells).is_last = F::from_bool(is_last);
            write_step(cells, acc, addend, step);
            if !is_last {
                *acc = step.after;
            }
        }
    }
    Ok(acc)
}

/// Writes the points of one row.
pub(super) fn write_step(cells: &mut [F], acc: &AffinePoint, addend: &AffinePoint, step: &Step) {
    let row = VariableBaseColumns::of(cells);
    write(row.x, elements(&acc.x));
    write(row.y, elements(&acc.y));
    for (to, (slope, doubled)) in row.doublings.into_iter().zip(&step.doublings) {
        write(to.slope, elements(slope));
        write(to.x, elements(&doubled.x));
    }
    write(row.addend_x, elements(&addend.x));
    write(row.inverse, elements(&step.inverse));
    write(row.sum_slope, elements(&step.sum_slope));
    write(row.step_slope, elements(&step.step_slope));
}

/// What leads from acc to 16 acc + M.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// Slope and result of each doubling.
    pub doublings: [(F5, AffinePoint); 3],
    /// 1 / (x_D - x_M).
    pub inverse: F5,
    /// Slope of the line through D and M.
    pub sum_slope: F5,
    /// Slope of the line through D and S.
    pub step_slope: F5,
    /// 16 acc + M.
    pub after: AffinePoint,
}

/// One step of many ladders.
pub(super) fn steps(acc: &[AffinePoint], addends: &[AffinePoint]) -> Result<Vec<Step>, TraceError> {
    let [twofold, fourfold, eightfold] = {
        let twofold = double(acc.iter())?;
        let fourfold = double(twofold.iter().map(|(_, point)| point))?;
        let eightfold = double(fourfold.iter().map(|(_, point)| point))?;
        [twofold, fourfold, eightfold]
    };
    let pairs = || eightfold.iter().map(|(_, d)| d).zip(addends);
    let differences: Vec<F5> = pairs().map(|(d, m)| d.x - m.x).collect();
    let inverses = invert(&differences)?;
    let sum_slopes: Vec<F5> = pairs()
        .zip(&inverses)
        .map(|((d, m), inverse)| (d.y - m.y) * *inverse)
        .collect();
    let sums: Vec<AffinePoint> = pairs()
        .zip(&sum_slopes)
        .map(|((d, m), slope)| d.add_with_slope(m, *slope))
        .collect();
    let differences: Vec<F5> = pairs().zip(&sums).map(|((d, _), s)| d.x - s.x).collect();
    let step_inverses = invert(&differences)?;
    let step = |i: usize| {
        let (d, s) = (eightfold[i].1, sums[i]);
        let step_slope = (d.y - s.y) * step_inverses[i];
        Step {
            doublings: [twofold[i], fourfold[i], eightfold[i]],
            inverse: inverses[i],
            sum_slope: sum_slopes[i],
            step_slope,
            after: d.add_with_slope(&s, step_slope),
        }
    };
    Ok((0..acc.len()).map(step).collect())
}

/// The slopes of the tangents, and the doubled points.
fn double<'a>(
    points: impl Iterator<Item = &'a AffinePoint> + Clone,
) -> Result<Vec<(F5, AffinePoint)>, TraceError> {
    let denominators: Vec<F5> = points.clone().map(|point| point.y.double()).collect();
    let inverses = invert(&denominators)?;
    let doubled = points.zip(inverses).map(|(point, inverse)| {
        let slope = point.tangent_numerator() * inverse;
        (slope, point.add_with_slope(point, slope))
    });
    Ok(doubled.collect())
}

/// The columns scalar, high and upper of one ladder; `before` is the ladder before it.
fn fill_scalar(product: &Product, before: &Product, cells: &mut [F]) {
    let mut rows: Vec<_> = cells
        .chunks_exact_mut(WIDTH)
        .map(VariableBaseColumns::of)
        .collect();
    let (mut scalar, mut high, mut upper) = (F::ZERO, F::ZERO, witness(before.challenge as u64));
    for (index, row) in rows.iter_mut().enumerate() {
        match index {
            8 | 24 => upper = scalar,
            16 => {
                high = scalar;
                upper = witness((product.challenge >> 64) as u64);
            }
            _ => {}
        }
        scalar = scalar * F::from_u8(16) + F::from_usize(product.digit(index));
        *row.scalar = scalar;
        *row.high = high;
        *row.upper = upper;
    }
}

/// t with (2^32 - 1 - u) t = l for a half u·2^32 + l; zero where there is none or any.
pub(super) fn witness(half: u64) -> F {
    let (u, l) = (half >> 32, half & u64::from(u32::MAX));
    let room = F::from_u64(u64::from(u32::MAX) - u);
    room.try_inverse()
        .map_or(F::ZERO, |inverse| F::from_u64(l) * inverse)
}
