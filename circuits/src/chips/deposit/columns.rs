//! Columns of the deposit rule.

use crate::cells::Cells;
use crate::gadgets::amount::AmountColumns;
use crate::gadgets::credit::CreditColumns;
use crate::gadgets::fee::FeeColumns;

/// One deposit.
#[repr(C)]
#[derive(Debug)]
pub struct DepositColumns<T> {
    /// 1 for a deposit, 0 for padding.
    pub is_real: T,
    /// Its position in the shard, from 1.
    pub clock: T,
    /// Its position in the base chain's queue.
    pub nonce: T,
    /// What was paid in.
    pub asset: T,
    /// Who owns the receiving vault.
    pub owner: [T; 4],
    /// The receiving vault.
    pub to: CreditColumns<T>,
    /// How much the vault receives, below 2^62.
    pub amount: AmountColumns<T>,
    /// What the operator earns, below 2^48.
    pub fee: FeeColumns<T>,
    /// Hash of the queue's entry, after each of its blocks; the last is the payload.
    pub payload: [[T; 4]; 2],
    /// The digest: hash of payload, index and fee vault.
    pub digest: [[T; 4]; 1],
}

/// Number of columns.
pub const WIDTH: usize = size_of::<DepositColumns<u8>>();

impl<T> DepositColumns<T> {
    /// Names the cells of a row.
    pub fn of(row: impl IntoIterator<Item = T>) -> Self {
        let mut cells = Cells::new(row);
        Self {
            is_real: cells.one(),
            clock: cells.one(),
            nonce: cells.one(),
            asset: cells.one(),
            owner: cells.array(),
            to: CreditColumns::of(&mut cells),
            amount: AmountColumns::of(&mut cells),
            fee: FeeColumns::of(&mut cells),
            payload: core::array::from_fn(|_| cells.array()),
            digest: core::array::from_fn(|_| cells.array()),
        }
    }
}
