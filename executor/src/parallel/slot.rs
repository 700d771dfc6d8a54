//! The records that a batch touches.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use super::access::{Access, Role};

/// A record and what this batch does to it.
pub(super) struct Slot<'a> {
    pub index: Index,
    /// All accesses of the batch, in its order.
    pub accesses: &'a [Access],
    /// Whether no transaction can tell which others went before it: see [`only_gains`].
    pub only_gains: bool,
    /// As it was before the batch.
    before: Record,
    /// As the transactions until now have left it, if one wrote it; not used where it only
    /// gains. The schedule lets at most one transaction at a time come here, so nobody waits
    /// for the lock.
    after: Mutex<Option<Record>>,
}

/// The slots by ascending index, with the records of the state.
pub(super) fn all<'a>(
    state: &State,
    transactions: &[Transaction],
    accesses: &'a [Access],
) -> Vec<Slot<'a>> {
    let same_index = |a: &Access, b: &Access| a.index() == b.index();
    let groups: Vec<_> = accesses.chunk_by(same_index).collect();
    groups
        .into_par_iter()
        .map(|accesses| {
            let index = accesses[0].index();
            let before = state.tree().get(index);
            Slot {
                index,
                accesses,
                only_gains: accesses.len() > 1 && only_gains(&before, transactions, accesses),
                before,
                after: Mutex::new(None),
            }
        })
        .collect()
}

impl Slot<'_> {
    /// The record for the next transaction; where it only gains, always that before the batch.
    pub fn read(&self) -> Record {
        if self.only_gains {
            return self.before;
        }
        let after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        after.unwrap_or(self.before)
    }

    /// Writes what an accepted transaction leaves; where it only gains, this waits for
    /// [`Self::into_change`].
    pub fn write(&self, record: Record) {
        if !self.only_gains {
            let mut after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
            *after = Some(record);
        }
    }

    /// The record after the batch, if an accepted transaction wrote it.
    pub fn into_change(
        self,
        transactions: &[Transaction],
        is_accepted: impl Fn(u32) -> bool,
    ) -> Option<(Index, Record)> {
        if !self.only_gains {
            let after = self.after.into_inner();
            let record = after.unwrap_or_else(PoisonError::into_inner)?;
            return Some((self.index, record));
        }
        let accepted = self.accesses.iter();
        let mut accepted = accepted
            .filter(|access| is_accepted(access.position()))
            .peekable();
        accepted.peek()?;
        let gains = accepted.map(|access| gain(&transactions[access.position() as usize], *access));
        Some((self.index, self.before.credited(gains.sum())))
    }
}

/// Whether a vault is there, pays nobody in this batch, and has room for all that is offered
/// to it. Then owner and asset stay as they are, no credit can fail for want of room, and
/// credits are added up in any order.
fn only_gains(before: &Record, transactions: &[Transaction], accesses: &[Access]) -> bool {
    let Some(vault) = before.vault() else {
        return false;
    };
    let pays = |access: &Access| access.role() == Role::Pay;
    if accesses.iter().any(pays) {
        return false;
    }
    let offered = accesses.iter().map(|access| {
        let transaction = &transactions[access.position() as usize];
        u128::from(gain(transaction, *access))
    });
    u128::from(vault.balance) + offered.sum::<u128>() < u128::from(AMOUNT_LIMIT)
}

/// What a transaction offers; nothing if it is out of bounds, so that no vault ever gets it.
fn gain(transaction: &Transaction, access: Access) -> u64 {
    let (offered, limit) = match access.role() {
        Role::Pay => (0, AMOUNT_LIMIT),
        Role::Receive => (transaction.amount(), AMOUNT_LIMIT),
        Role::Fee => (transaction.fee().amount, FEE_LIMIT),
    };
    if offered < limit { offered } else { 0 }
}
