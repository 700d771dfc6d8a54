//! Columns of the range table.

use crate::cells::Cells;

/// One 16-bit value.
#[repr(C)]
#[derive(Debug)]
pub struct RangeColumns<T> {
    /// The row's number.
    pub value: T,
    /// How often the value is asked for.
    pub multiplicity: T,
}

/// Number of columns.
pub const WIDTH: usize = size_of::<RangeColumns<u8>>();

impl<T> RangeColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            value: cells.one(),
            multiplicity: cells.one(),
        }
    }
}
