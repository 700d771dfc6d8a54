//! The records that a batch touches.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use shardfold_contracts::readings::Mode;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;

use super::access::{Accesses, Sorted};

/// A record and what this batch does to it.
pub(super) struct Slot {
    /// Where its accesses are in the sorted list, those of an index in batch order.
    accesses: Range<u32>,
    cell: Cell,
}

/// The record itself.
enum Cell {
    /// No transaction can tell which others went before it (see [`commutes`]): the record
    /// before the batch, to which all gains are added at the end.
    Commuting(Record),
    /// The schedule lets one transaction at a time come here, so no thread waits for the lock.
    Ordered(Mutex<Ordered>),
}

struct Ordered {
    /// As the transactions until now have left it.
    record: Record,
    is_written: bool,
}

/// The slots of a batch by ascending index, with the records of the state.
pub(super) fn all(state: &State, accesses: &Accesses, sorted: &[Sorted]) -> Vec<Slot> {
    let same_index = |a: &Sorted, b: &Sorted| a.index() == b.index();
    let mut end = 0;
    let groups = sorted.chunk_by(same_index).map(|group| {
        let start = end;
        end += group.len() as u32;
        start..end
    });
    let groups: Vec<Range<u32>> = groups.collect();
    let slot = |range: Range<u32>| {
        let group = &sorted[range.start as usize..range.end as usize];
        let record = state.tree().get(group[0].index());
        let cell = if group.len() > 1 && commutes(&record, accesses, group) {
            Cell::Commuting(record)
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
    pub fn accesses<'a>(&self, sorted: &'a [Sorted]) -> &'a [Sorted] {
        &sorted[self.accesses.start as usize..self.accesses.end as usize]
    }

    /// Returns whether no transaction can tell which others went before it.
    pub const fn commutes(&self) -> bool {
        matches!(self.cell, Cell::Commuting(_))
    }

    /// Returns the record for the next transaction; where accesses commute, always that before the
    /// batch.
    pub fn read(&self) -> Record {
        match &self.cell {
            Cell::Commuting(before) => *before,
            Cell::Ordered(ordered) => lock(ordered).record,
        }
    }

    /// Writes what an accepted transaction leaves; where accesses commute, this waits for
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
        accesses: &Accesses,
        sorted: &[Sorted],
        is_rejected: &[bool],
    ) -> Option<(Index, Record)> {
        let mine = self.accesses(sorted);
        let index = mine[0].index();
        let before = match &self.cell {
            Cell::Commuting(before) => before,
            Cell::Ordered(ordered) => {
                let ordered = lock(ordered);
                return ordered.is_written.then_some((index, ordered.record));
            }
        };
        let is_accepted = |access: &&Sorted| !is_rejected[access.position() as usize];
        let is_gain = |mode: &Mode| *mode != Mode::Read;
        let modes = mine.iter().filter(is_accepted);
        let modes = modes.map(|&access| accesses.get(access).mode);
        let modes: Vec<Mode> = modes.filter(is_gain).collect();
        let total = modes.iter().map(|&mode| gain(mode)).sum();
        (!modes.is_empty()).then(|| (index, before.credited(total)))
    }
}

fn lock(ordered: &Mutex<Ordered>) -> MutexGuard<'_, Ordered> {
    // A thread that panicked takes the whole batch with it.
    ordered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this batch only reads the record; or only adds to it, where a vault is that can hold
/// all that is offered to it. Then owner and asset stay as they are, no credit can fail for lack of
/// capacity, and credits are added up in any order.
fn commutes(before: &Record, accesses: &Accesses, group: &[Sorted]) -> bool {
    let mut modes = group.iter().map(|&access| accesses.get(access).mode);
    if modes.clone().all(|mode| mode == Mode::Read) {
        return true;
    }
    let Some(vault) = before.vault() else {
        return false;
    };
    if !modes
        .clone()
        .all(|mode| matches!(mode, Mode::Gain(_) | Mode::Fee(_)))
    {
        return false;
    }
    let offered: u128 = modes.by_ref().map(|mode| u128::from(gain(mode))).sum();
    u128::from(vault.balance) + offered < u128::from(AMOUNT_LIMIT)
}

/// What an access adds.
const fn gain(mode: Mode) -> u64 {
    match mode {
        Mode::Gain(amount) | Mode::Fee(amount) => amount,
        Mode::Write | Mode::Whole | Mode::Read => 0,
    }
}
