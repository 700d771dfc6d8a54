//! Points side by side in the lanes of SIMD registers.

use p3_field::{PackedFieldPow2, PackedValue, PrimeCharacteristicRing};

use crate::field::F;

use super::affine::AffinePoint;
use super::field5::{F5, elements};
use super::packed::{LANES, Packed, PackedF5};

/// A point's ten elements one after the other, x's coefficients first: what a transposition
/// brings into lanes.
pub type Row = [F; ROW];

const ROW: usize = 10;

/// Returns the row of a point.
pub fn to_row(point: &AffinePoint) -> Row {
    let (x, y) = (elements(&point.x), elements(&point.y));
    core::array::from_fn(|i| if i < 5 { x[i] } else { y[i - 5] })
}

/// Returns the point of a row.
pub fn from_row(row: &Row) -> AffinePoint {
    let [x0, x1, x2, x3, x4, y0, y1, y2, y3, y4] = *row;
    AffinePoint {
        x: F5::new([x0, x1, x2, x3, x4]),
        y: F5::new([y0, y1, y2, y3, y4]),
    }
}

/// A point in each lane.
#[derive(Clone, Copy)]
pub struct PackedPoint {
    /// Their x.
    pub x: PackedF5,
    /// Their y.
    pub y: PackedF5,
}

impl PackedPoint {
    /// Returns the point of each lane.
    pub fn from_fn(point: impl Fn(usize) -> AffinePoint) -> Self {
        let rows: [Row; LANES] = core::array::from_fn(|lane| to_row(&point(lane)));
        Self::from_rows(|lane| &rows[lane])
    }

    /// Returns the point in one lane.
    pub fn lane(&self, lane: usize) -> AffinePoint {
        AffinePoint {
            x: self.x.lane(lane),
            y: self.y.lane(lane),
        }
    }

    /// Returns the point of each lane's row.
    #[inline]
    pub fn from_rows<'a>(row: impl Fn(usize) -> &'a Row) -> Self {
        let mut columns = [Packed::ZERO; ROW];
        for start in column_starts() {
            let words = |lane: usize| &row(lane)[start..start + LANES];
            let rows = core::array::from_fn(|lane| *Packed::from_slice(words(lane)));
            columns[start..start + LANES].copy_from_slice(&transpose(rows));
        }
        let [x0, x1, x2, x3, x4, y0, y1, y2, y3, y4] = columns;
        Self {
            x: PackedF5::new([x0, x1, x2, x3, x4]),
            y: PackedF5::new([y0, y1, y2, y3, y4]),
        }
    }

    /// Returns the row of each lane's point.
    #[inline]
    pub fn to_rows(self) -> [Row; LANES] {
        let columns: [Packed; ROW] = core::array::from_fn(|i| match i.checked_sub(5) {
            None => self.x.coefficients()[i],
            Some(i) => self.y.coefficients()[i],
        });
        let mut rows = [[F::ZERO; ROW]; LANES];
        for start in column_starts() {
            let words = transpose(core::array::from_fn(|i| columns[start + i]));
            for (row, words) in rows.iter_mut().zip(words) {
                row[start..start + LANES].copy_from_slice(words.as_slice());
            }
        }
        rows
    }
}

/// Where squares of [`LANES`] columns start that cover a row; the last may overlap.
fn column_starts() -> impl Iterator<Item = usize> {
    const { assert!(LANES <= ROW) };
    (0..ROW).step_by(LANES).map(|start| start.min(ROW - LANES))
}

/// Rows to columns: squares of 2, 4, ... elements change their off-diagonal quarters.
#[inline]
fn transpose(mut rows: [Packed; LANES]) -> [Packed; LANES] {
    let mut side = 1;
    while side < LANES {
        for i in (0..LANES).filter(|i| i & side == 0) {
            (rows[i], rows[i + side]) = rows[i].interleave(rows[i + side], side);
        }
        side *= 2;
    }
    rows
}
