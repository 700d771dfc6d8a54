//! The records that a batch touches.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use super::access::{Access, Role};

/// A record and what this batch does to it.
pub(super) struct Slot {
    /// Where its accesses are in the list of all, which are in the order of the batch.
    accesses: Range<u32>,
    cell: Cell,
}

/// The record itself.
enum Cell {
    /// No transaction can tell which others went before it (see [`only_gains`]): the record
    /// before the batch, to which all gains are added at the end.
    OnlyGains(Record),
    /// The schedule lets one transaction at a time come here, so no thread waits for the lock.
    Ordered(Mutex<Ordered>),
}

struct Ordered {
    /// As the transactions until now have left it.
    record: Record,
    is_written: bool,
}

/// The slots of a batch by ascending index, with the records of the state.
pub(super) fn all(state: &State, transactions: &[Transaction], accesses: &[Access]) -> Vec<Slot> {
    let same_index = |a: &Access, b: &Access| a.index() == b.index();
    let mut end = 0;
    let groups = accesses.chunk_by(same_index).map(|group| {
        let start = end;
        end += group.len() as u32;
        start..end
    });
    let groups: Vec<Range<u32>> = groups.collect();
    let slot = |range: Range<u32>| {
        let group = &accesses[range.start as usize..range.end as usize];
        let record = state.tree().get(group[0].index());
        let cell = if group.len() > 1 && only_gains(&record, transactions, group) {
            Cell::OnlyGains(record)
        } else {
            Cell::Ordered(Mutex::new(Ordered {
                record,
                is_written: false,
            }))
        };
        Slot {
            accesses: range,
            cell,
        }
    };
    groups.into_par_iter().map(slot).collect()
}

impl Slot {
    /// Returns its accesses out of those of all slots.
    pub fn accesses<'a>(&self, all: &'a [Access]) -> &'a [Access] {
        &all[self.accesses.start as usize..self.accesses.end as usize]
    }

    /// Returns whether no transaction can tell which others went before it.
    pub const fn only_gains(&self) -> bool {
        matches!(self.cell, Cell::OnlyGains(_))
    }

    /// Returns the record for the next transaction; where it only gains, always that before the
    /// batch.
    pub fn read(&self) -> Record {
        match &self.cell {
            Cell::OnlyGains(before) => *before,
            Cell::Ordered(ordered) => lock(ordered).record,
        }
    }

    /// Writes what an accepted transaction leaves; where it only gains, this waits for
    /// [`Self::change`].
    pub fn write(&self, record: Record) {
        if let Cell::Ordered(ordered) = &self.cell {
            *lock(ordered) = Ordered {
                record,
                is_written: true,
            };
        }
    }

    /// Returns the record after the batch, if an accepted transaction wrote it.
    pub fn change(
        &self,
        transactions: &[Transaction],
        accesses: &[Access],
        is_rejected: &[bool],
    ) -> Option<(Index, Record)> {
        let accesses = self.accesses(accesses);
        let index = accesses[0].index();
        let before = match &self.cell {
            Cell::OnlyGains(before) => before,
            Cell::Ordered(ordered) => {
                let ordered = lock(ordered);
                return ordered.is_written.then_some((index, ordered.record));
            }
        };
        let is_accepted = |access: &&Access| !is_rejected[access.position() as usize];
        let accepted = || accesses.iter().filter(is_accepted);
        accepted().next()?;
        let gains = accepted().map(|access| gain(transactions, *access));
        Some((index, before.credited(gains.sum())))
    }
}

fn lock(ordered: &Mutex<Ordered>) -> MutexGuard<'_, Ordered> {
    // A thread that panicked takes the whole batch with it.
    ordered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a vault is there, pays no vault in this batch, and can hold all that is offered
/// to it. Then owner and asset stay as they are, no credit can fail for lack of capacity, and
/// credits are added up in any order.
fn only_gains(before: &Record, transactions: &[Transaction], accesses: &[Access]) -> bool {
    let Some(vault) = before.vault() else {
        return false;
    };
    let pays = |access: &Access| access.role() == Role::Pay;
    if accesses.iter().any(pays) {
        return false;
    }
    let offered = accesses
        .iter()
        .map(|access| u128::from(gain(transactions, *access)));
    u128::from(vault.balance) + offered.sum::<u128>() < u128::from(AMOUNT_LIMIT)
}

/// What an access offers; nothing if it is out of bounds, so that no vault ever gets it.
fn gain(transactions: &[Transaction], access: Access) -> u64 {
    let transaction = &transactions[access.position() as usize];
    let (offered, limit) = match access.role() {
        Role::Pay => (0, AMOUNT_LIMIT),
        Role::Receive => (transaction.amount(), AMOUNT_LIMIT),
        Role::Fee => (transaction.fee().amount, FEE_LIMIT),
    };
    if offered < limit { offered } else { 0 }
}
