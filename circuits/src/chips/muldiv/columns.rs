//! Columns of an exact division.

use crate::cells::Cells;

/// Limbs of a number.
pub const LIMBS: usize = 4;

/// One division: `a b + up (d - 1) = quotient d + remainder`, each number in limbs of 16 bits, the
/// least significant first.
#[repr(C)]
#[derive(Debug)]
pub struct MulDivColumns<T> {
    /// A factor.
    pub a: [T; LIMBS],
    /// The other factor.
    pub b: [T; LIMBS],
    /// The divisor.
    pub d: [T; LIMBS],
    /// The quotient, below 2^62.
    pub quotient: [T; LIMBS],
    /// What is left over.
    pub remainder: [T; LIMBS],
    /// What the remainder lacks to `d - 1`.
    pub lack: [T; LIMBS],
    /// For each half of the low 64 bits, what it carries to the next, plus 2^31.
    pub carries: [[T; 2]; 2],
    /// 1 if the quotient is rounded up, 0 if down.
    pub up: T,
    /// How often it is asked for.
    pub multiplicity: T,
}

/// Number of columns.
pub const WIDTH: usize = size_of::<MulDivColumns<u8>>();

impl<T> MulDivColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            a: cells.array(),
            b: cells.array(),
            d: cells.array(),
            quotient: cells.array(),
            remainder: cells.array(),
            lack: cells.array(),
            carries: [cells.array(), cells.array()],
            up: cells.one(),
            multiplicity: cells.one(),
        }
    }

    /// All limbs, those of the carries last.
    pub fn limbs(&self) -> impl Iterator<Item = &T> {
        let numbers = [
            &self.a,
            &self.b,
            &self.d,
            &self.quotient,
            &self.remainder,
            &self.lack,
        ];
        let numbers = numbers.into_iter().flatten();
        numbers.chain(self.carries.iter().flatten())
    }
}
