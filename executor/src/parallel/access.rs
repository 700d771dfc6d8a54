//! Who touches what: the accesses of a batch, sorted by record.

use rayon::prelude::*;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;

/// Positions have 30 bits in an [`Access`].
const MAX_TRANSACTIONS: usize = 1 << 30;

/// What a transaction does with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Role {
    /// Takes amount and fee out of it.
    Pay = 0,
    /// Puts the amount into it.
    Receive = 1,
    /// Puts the fee into it.
    Fee = 2,
}

/// One access: the index, the position of the transaction and the role as one integer, by
/// which they are sorted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Access(u64);

impl Access {
    fn new(index: Index, position: usize, role: Role) -> Self {
        Self(u64::from(index) << 32 | (position as u64) << 2 | role as u64)
    }

    pub const fn index(self) -> Index {
        (self.0 >> 32) as Index
    }

    pub const fn position(self) -> u32 {
        self.0 as u32 >> 2
    }

    pub const fn role(self) -> Role {
        match self.0 & 3 {
            0 => Role::Pay,
            1 => Role::Receive,
            _ => Role::Fee,
        }
    }
}

/// All accesses, by ascending index, those of an index in batch order.
///
/// # Panics
/// With 2^30 transactions or more.
pub(super) fn sorted(transactions: &[Transaction]) -> Vec<Access> {
    assert!(transactions.len() < MAX_TRANSACTIONS);
    let mut accesses: Vec<Access> = transactions
        .par_iter()
        .enumerate()
        .flat_map_iter(|(position, transaction)| of(transaction, position))
        .collect();
    accesses.par_sort_unstable();
    accesses
}

fn of(transaction: &Transaction, position: usize) -> impl Iterator<Item = Access> {
    let (from, to) = match transaction {
        Transaction::Transfer(signed) => (Some(signed.body.from), Some(signed.body.to)),
        Transaction::Deposit(deposit) => (None, Some(deposit.to)),
        Transaction::Withdraw(signed) => (Some(signed.body.from), None),
    };
    let fee_vault = transaction.fee_vault();
    let roles = [
        (from, Role::Pay),
        (to, Role::Receive),
        (fee_vault, Role::Fee),
    ];
    let access = move |(index, role): (Option<Index>, Role)| {
        index.map(|index| Access::new(index, position, role))
    };
    roles.into_iter().filter_map(access)
}
