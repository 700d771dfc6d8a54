//! Columns of the ladder e·P.

use crate::cells::Cells;

/// One digit of a ladder of 32.
///
/// A step leads from acc on this row to 16 acc + M on the next, M the multiple of P for the
/// next row's digit. It goes over 2 acc, 4 acc and 8 acc = D, then S = D + M, then D + S.
#[repr(C)]
#[derive(Debug)]
pub struct VariableBaseColumns<T> {
    /// The position of the signature, the same on all rows of a ladder.
    pub position: T,
    /// One on the last row of each ladder, else zero.
    pub is_last: T,
    /// The digits up to this row's as one number, modulo p: `scalar' = 16 scalar + digit'`.
    pub scalar: T,
    /// Zero on rows 0 to 15; `scalar` of row 15, the high half of e, on rows 16 to 31.
    pub high: T,
    /// On rows 8 to 15 `scalar` of row 7, on rows 24 to 31 `scalar` of row 23: each half of e
    /// without its lower 32 bits. On the row after a half is complete (row 16, and row 0 of
    /// the next ladder) the witness t that this half is canonical. Elsewhere free.
    pub upper: T,
    /// x of acc.
    pub x: [T; 5],
    /// y of acc.
    pub y: [T; 5],
    /// acc doubled, doubled again, and again.
    pub doublings: [Doubling<T>; 3],
    /// x of M.
    pub addend_x: [T; 5],
    /// `1 / (x_D - x_M)`: D and M have different x.
    pub inverse: [T; 5],
    /// Slope of the line through D and M. It is where y of M is held:
    /// `y_M = y_D - slope (x_D - x_M)`.
    pub sum_slope: [T; 5],
    /// Slope of the line through D and S.
    pub step_slope: [T; 5],
}

/// The doubling of a point.
#[repr(C)]
#[derive(Debug)]
pub struct Doubling<T> {
    /// Slope of the tangent.
    pub slope: [T; 5],
    /// x of the doubled point. Its y is `slope (x_before - x) - y_before`.
    pub x: [T; 5],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<VariableBaseColumns<u8>>();

impl<T> VariableBaseColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            position: cells.one(),
            is_last: cells.one(),
            scalar: cells.one(),
            high: cells.one(),
            upper: cells.one(),
            x: cells.array(),
            y: cells.array(),
            doublings: core::array::from_fn(|_| Doubling {
                slope: cells.array(),
                x: cells.array(),
            }),
            addend_x: cells.array(),
            inverse: cells.array(),
            sum_slope: cells.array(),
            step_slope: cells.array(),
        }
    }
}
