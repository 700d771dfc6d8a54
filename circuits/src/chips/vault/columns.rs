//! Columns of an access of a vault.

use crate::cells::Cells;
use crate::gadgets::access::AccessColumns;
use crate::gadgets::amount::AmountColumns;

/// One access: a vault is taken as `[1, asset, balance, nonce, owner]`, or nothing as zeros, and
/// written back as `[1, asset, new_balance, nonce + signs, owner]`.
#[repr(C)]
#[derive(Debug)]
pub struct VaultColumns<T> {
    /// 1 for an access, 0 for padding.
    pub is_real: T,
    /// The transaction's.
    pub clock: T,
    /// Where the vault lies and when it was last written.
    pub vault: AccessColumns<T>,
    /// 1 if a vault is there, 0 if nothing is.
    pub kind: T,
    /// What it holds.
    pub asset: T,
    /// Before; zero where nothing is.
    pub balance: T,
    /// Before; zero where nothing is.
    pub nonce: T,
    /// Whose it is.
    pub owner: [T; 4],
    /// 1 for the vault of whoever signs: its nonce grows by one.
    pub signs: T,
    /// 1 if the vault may be opened.
    pub may_open: T,
    /// After, below 2^62.
    pub new_balance: AmountColumns<T>,
}

/// Number of columns.
pub const WIDTH: usize = size_of::<VaultColumns<u8>>();

impl<T> VaultColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            clock: cells.one(),
            vault: AccessColumns::of(&mut cells),
            kind: cells.one(),
            asset: cells.one(),
            balance: cells.one(),
            nonce: cells.one(),
            owner: cells.array(),
            signs: cells.one(),
            may_open: cells.one(),
            new_balance: AmountColumns::of(&mut cells),
        }
    }
}
