//! Columns of the multiples of the keys.

use crate::cells::Cells;

/// One multiple of a key, in a block of 16.
#[repr(C)]
#[derive(Debug)]
pub struct VariableTableColumns<T> {
    /// The position of the signature, the same on all rows of a block.
    pub position: T,
    /// The digit d, from 0 to 15: the row's position in its block.
    pub digit: T,
    /// How often the multiple is looked up.
    pub multiplicity: T,
    /// x of M = Q0 + d·P.
    pub x: [T; 5],
    /// y of M.
    pub y: [T; 5],
    /// x of the key P, the same on all rows of a block.
    pub base_x: [T; 5],
    /// Slope of the line through M and P. It is where y of P is held:
    /// `y_P = y - slope (x - x_P)`.
    pub slope: [T; 5],
    /// `1 / (x - x_P)`: M and P have different x.
    pub inverse: [T; 5],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<VariableTableColumns<u8>>();

impl<T> VariableTableColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            position: cells.one(),
            digit: cells.one(),
            multiplicity: cells.one(),
            x: cells.array(),
            y: cells.array(),
            base_x: cells.array(),
            slope: cells.array(),
            inverse: cells.array(),
        }
    }
}
