//! Columns of the transfer rule.

use crate::cells::Cells;
use crate::gadgets::amount::AmountColumns;
use crate::gadgets::credit::CreditColumns;
use crate::gadgets::debit::DebitColumns;
use crate::gadgets::fee::FeeColumns;

/// One transfer.
#[repr(C)]
#[derive(Debug)]
pub struct TransferColumns<T> {
    /// 1 for a transfer, 0 for padding.
    pub is_real: T,
    /// Its position in the shard, from 1.
    pub clock: T,
    /// The paying vault, with the transaction's asset and nonce.
    pub from: DebitColumns<T>,
    /// The receiving vault.
    pub to: CreditColumns<T>,
    /// Who owns the receiving vault.
    pub to_owner: [T; 4],
    /// What moves, below 2^62.
    pub amount: AmountColumns<T>,
    /// What the operator earns, below 2^48.
    pub fee: FeeColumns<T>,
    /// Hash of the 12 elements, after each of its blocks; the last is the digest.
    pub blocks: [[T; 4]; 3],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<TransferColumns<u8>>();

impl<T> TransferColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            clock: cells.one(),
            from: DebitColumns::of(&mut cells),
            to: CreditColumns::of(&mut cells),
            to_owner: cells.array(),
            amount: AmountColumns::of(&mut cells),
            fee: FeeColumns::of(&mut cells),
            blocks: core::array::from_fn(|_| cells.array()),
        }
    }
}
