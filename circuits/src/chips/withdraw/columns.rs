//! Columns of the withdrawal rule.

use crate::cells::Cells;
use crate::gadgets::amount::AmountColumns;
use crate::gadgets::debit::DebitColumns;
use crate::gadgets::fee::FeeColumns;

/// One withdrawal.
#[repr(C)]
#[derive(Debug)]
pub struct WithdrawColumns<T> {
    /// 1 for a withdrawal, 0 for padding.
    pub is_real: T,
    /// Its position in the shard, from 1.
    pub clock: T,
    /// The paying vault, with the transaction's asset and nonce.
    pub from: DebitColumns<T>,
    /// What leaves, below 2^62.
    pub amount: AmountColumns<T>,
    /// What the operator earns, below 2^48.
    pub fee: FeeColumns<T>,
    /// The chain on which the amount is owed.
    pub base_chain: T,
    /// To whom it is owed.
    pub address: [T; 3],
    /// The payload: hash of what is owed.
    pub payload: [[T; 4]; 1],
    /// Hash of payload, index, fee, fee vault and nonce, after each of its blocks; the last
    /// is the digest.
    pub digest: [[T; 4]; 2],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<WithdrawColumns<u8>>();

impl<T> WithdrawColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            clock: cells.one(),
            from: DebitColumns::of(&mut cells),
            amount: AmountColumns::of(&mut cells),
            fee: FeeColumns::of(&mut cells),
            base_chain: cells.one(),
            address: cells.array(),
            payload: core::array::from_fn(|_| cells.array()),
            digest: core::array::from_fn(|_| cells.array()),
        }
    }
}
