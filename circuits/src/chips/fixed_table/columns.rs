//! Columns of the table of multiples of the generator.

use crate::cells::Cells;

/// The preprocessed part: one multiple of the generator.
#[repr(C)]
#[derive(Debug)]
pub struct FixedTableEntry<T> {
    /// The window w of the scalar, 0 the lowest.
    pub window: T,
    /// x of `digit · 2^(10 w) · G + O_w`, where digit is the row's number modulo 1024.
    pub x: [T; 5],
    /// y of that point.
    pub y: [T; 5],
}

/// The main part.
#[repr(C)]
#[derive(Debug)]
pub struct FixedTableColumns<T> {
    /// How often the entry is looked up.
    pub multiplicity: T,
}

/// Number of preprocessed columns.
pub const PREPROCESSED_WIDTH: usize = size_of::<FixedTableEntry<u8>>();
/// Number of main columns.
pub const WIDTH: usize = size_of::<FixedTableColumns<u8>>();

impl<T> FixedTableEntry<T> {
    /// Names the preprocessed cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            window: cells.one(),
            x: cells.array(),
            y: cells.array(),
        }
    }
}

impl<T> FixedTableColumns<T> {
    /// Names the main cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            multiplicity: cells.one(),
        }
    }
}
