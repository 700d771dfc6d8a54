//! Columns of the ladder s·G.

use crate::cells::Cells;

/// One window of a ladder of 32.
#[repr(C)]
#[derive(Debug)]
pub struct FixedBaseColumns<T> {
    /// The window, from 0 (the lowest) to 31: the row's position in its ladder.
    pub window: T,
    /// x of acc, the sum of the table's points for windows 0 to this one.
    pub x: [T; 5],
    /// y of acc.
    pub y: [T; 5],
    /// x of the point T that the table has for the next row's window: the next window of
    /// this ladder, or window 0 of the next ladder.
    pub addend_x: [T; 5],
    /// Slope of the line through acc and T. It is where y of T is held:
    /// `y_T = y - slope (x - x_T)`.
    pub slope: [T; 5],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<FixedBaseColumns<u8>>();

impl<T> FixedBaseColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            window: cells.one(),
            x: cells.array(),
            y: cells.array(),
            addend_x: cells.array(),
            slope: cells.array(),
        }
    }
}
