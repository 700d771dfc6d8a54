//! Rows as named columns, without `unsafe` casts.
//!
//! Each chip's column struct is generic over what a cell holds and is read field by field
//! from an iterator over a row. One function per chip thus fixes the order of the columns
//! for constraints (variables), traces (`&mut F`) and tests (column numbers) alike.

/// The cells of one row, taken from left to right.
pub struct Cells<I>(I);

impl<T, I: Iterator<Item = T>> Cells<I> {
    /// Starts at the first column.
    pub fn new(row: impl IntoIterator<IntoIter = I>) -> Self {
        Self(row.into_iter())
    }

    /// Returns the next cell.
    ///
    /// # Panics
    ///
    /// If the row is narrower than its columns: a chip's width is a constant of its own, so
    /// this is a mistake in the chip, never in its input.
    pub fn one(&mut self) -> T {
        self.0.next().expect("a row is as wide as its columns")
    }

    /// Returns the next `N` cells.
    pub fn array<const N: usize>(&mut self) -> [T; N] {
        core::array::from_fn(|_| self.one())
    }
}

/// Writes `values` into cells that were taken as `&mut T`.
pub fn write<T, const N: usize>(cells: [&mut T; N], values: [T; N]) {
    for (cell, value) in cells.into_iter().zip(values) {
        *cell = value;
    }
}
