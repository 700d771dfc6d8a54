//! Columns of the credit of fees.

use crate::cells::Cells;
use crate::gadgets::access::AccessColumns;
use crate::gadgets::amount::AmountColumns;

/// One fee vault: taken as `[1, asset, balance, nonce, owner]`, written back as
/// `[1, asset, new_balance, nonce, owner]` at `FEE_CLOCK`.
#[repr(C)]
#[derive(Debug)]
pub struct FeeColumns<T> {
    /// 1 for a fee vault, 0 for padding.
    pub is_real: T,
    /// Where it lies and when it was last written.
    pub vault: AccessColumns<T>,
    /// What it holds.
    pub asset: T,
    /// Before.
    pub balance: T,
    /// Before and after.
    pub nonce: T,
    /// Before and after.
    pub owner: [T; 4],
    /// All that the shard pays into it; zero on padding rows.
    pub total: T,
    /// After, below 2^62: new_balance = balance + total.
    pub new_balance: AmountColumns<T>,
}

/// Number of columns.
pub const WIDTH: usize = size_of::<FeeColumns<u8>>();

impl<T> FeeColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            vault: AccessColumns::of(&mut cells),
            asset: cells.one(),
            balance: cells.one(),
            nonce: cells.one(),
            owner: cells.array(),
            total: cells.one(),
            new_balance: AmountColumns::of(&mut cells),
        }
    }
}
