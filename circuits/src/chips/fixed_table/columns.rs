//! Columns of the table of multiples of the generator.

use crate::cells::Cells;

/// One point of a window, in a block of points that are `B_w` apart.
#[repr(C)]
#[derive(Debug)]
pub struct FixedTableColumns<T> {
    /// One on the first row of each block, else zero. A row on which it is anything but zero
    /// must be what a block starts with, so nothing needs it to be a bit.
    pub is_start: T,
    /// The window w of the scalar, 0 the lowest; the same on all rows of a block.
    pub window: T,
    /// How often the point is looked up.
    pub multiplicity: T,
    /// x of M = O_w + d B_w, d the row's place in its block.
    pub x: [T; 5],
    /// y of M.
    pub y: [T; 5],
    /// x of B_w = 2^(10 w) G, the same on all rows of a block.
    pub base_x: [T; 5],
    /// Slope of the line through M and B_w. It is where y of B_w is held:
    /// `y_B = y - slope (x - x_B)`.
    pub slope: [T; 5],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<FixedTableColumns<u8>>();

impl<T> FixedTableColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_start: cells.one(),
            window: cells.one(),
            multiplicity: cells.one(),
            x: cells.array(),
            y: cells.array(),
            base_x: cells.array(),
            slope: cells.array(),
        }
    }
}
