//! Who touches what: the accesses of a batch, sorted by record.

use rayon::prelude::*;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;

/// Positions have 30 bits in an [`Access`].
const MAX_TRANSACTIONS: usize = 1 << 30;

/// What a transaction does with a record, in the order of [`Transaction::accessed`].
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

impl Role {
    pub const ALL: [Self; 3] = [Self::Pay, Self::Receive, Self::Fee];
}

impl Access {
    /// No access: sorted behind all others, for no role has the number 3.
    const NONE: Self = Self(u64::MAX);

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
        Role::ALL[(self.0 & 3) as usize % 3]
    }
}

/// All accesses, by ascending index, those of an index in batch order.
///
/// # Panics
/// With 2^30 transactions or more.
pub(super) fn sorted(transactions: &[Transaction]) -> Vec<Access> {
    assert!(transactions.len() < MAX_TRANSACTIONS);
    let each = transactions.par_iter().enumerate();
    let accesses: Vec<_> = each
        .map(|(position, transaction)| accesses(transaction, position))
        .collect();
    let mut accesses = accesses.into_flattened();
    accesses.par_sort_unstable();
    accesses.truncate(accesses.partition_point(|&access| access != Access::NONE));
    accesses
}

/// The three accesses of a transaction, [`Access::NONE`] for those that it does without.
fn accesses(transaction: &Transaction, position: usize) -> [Access; 3] {
    let indices = transaction.accessed();
    Role::ALL.map(|role| {
        let index = indices[role as usize];
        index.map_or(Access::NONE, |index| Access::new(index, position, role))
    })
}
