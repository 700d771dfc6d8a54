//! Columns of the polynomial of differences.

use shardfold_protocol::data::{POINT_LIMBS, VALUE_LIMBS};

use crate::cells::Cells;

/// Limbs of a product of a value and a point.
pub(super) const PRODUCT_LIMBS: usize = VALUE_LIMBS + POINT_LIMBS;
/// Times that something is handed on: from each two limbs of a product but the last.
pub(super) const CARRIES: usize = PRODUCT_LIMBS / 2 - 1;

/// One coefficient, and what the polynomial is up to it.
#[repr(C)]
#[derive(Debug)]
pub struct DataColumns<T> {
    /// 0, ..., 0, 1 in each group of 32 rows: the coefficient is that of the group's top bits.
    pub is_spill: T,
    /// 1 up to some row, 0 after it.
    pub is_active: T,
    /// Whether the row is a block of the chain: is_real = is_active (1 - is_spill).
    pub is_real: T,
    /// The chain of differences before the row.
    pub chain: [T; 4],
    /// The coefficient: limbs of 16 bits, the lowest first; the last one has 14.
    pub limbs: [T; VALUE_LIMBS],
    /// The two bits of the block's last element that its coefficient has not, the lower one first.
    pub top: [T; 2],
    /// For each element of the block: shows that its high half is not 2^32 - 1.
    pub witness: [T; 4],
    /// The top bits of the group's blocks before this row, those of the first lowest.
    pub spilt: T,
    /// The polynomial up to this coefficient: value = value before * point + coefficient, modulo
    /// the order of the scalar field; limbs of 16 bits, the lowest first.
    pub value: [T; VALUE_LIMBS],
    /// How often the order was taken off; limbs of 16 bits, the lowest first.
    pub quotient: [T; POINT_LIMBS],
    /// What each two limbs of that equation hand on to the next two, plus 2^21: the low 16 bits.
    pub carry_low: [T; CARRIES],
    /// The 16 bits above.
    pub carry_high: [T; CARRIES],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<DataColumns<u8>>();

impl<T> DataColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_spill: cells.one(),
            is_active: cells.one(),
            is_real: cells.one(),
            chain: cells.array(),
            limbs: cells.array(),
            top: cells.array(),
            witness: cells.array(),
            spilt: cells.one(),
            value: cells.array(),
            quotient: cells.array(),
            carry_low: cells.array(),
            carry_high: cells.array(),
        }
    }
}
