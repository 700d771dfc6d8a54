//! The records that a batch touches, each in a slot of its own.

use std::collections::HashMap;

use rayon::prelude::*;
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use crate::rules::Effect;

/// A record and what this batch does to it.
struct Slot {
    index: Index,
    record: Record,
    /// Whether an accepted transaction wrote it.
    is_written: bool,
    /// Whether a transaction of the batch has it as sender or receiver.
    is_accessed: bool,
    /// The sum of all fees that transactions of the batch, valid or not, offer it.
    offered_fees: u128,
    /// Fees earned and not yet added to the record.
    earned_fees: u64,
}

/// The slots that a transaction touches.
#[derive(Clone, Copy, Default)]
pub(super) struct Touched {
    /// Of sender and receiver, or of the one of them that there is.
    pub accessed: [Option<u32>; 2],
    /// Of the fee vault, if there is a fee.
    pub fee_vault: Option<u32>,
}

/// All touched records.
pub(super) struct Table {
    slots: Vec<Slot>,
    /// By position in the batch.
    touched: Vec<Touched>,
}

impl Table {
    /// The records as they are in the state.
    pub fn new(state: &State, transactions: &[Transaction]) -> Self {
        let mut table = Self {
            slots: Vec::new(),
            touched: Vec::with_capacity(transactions.len()),
        };
        let mut slot_of = HashMap::with_capacity(2 * transactions.len());
        for transaction in transactions {
            let mut touched = Touched::default();
            for (place, index) in touched.accessed.iter_mut().zip(transaction.touched()) {
                let slot = table.slot(&mut slot_of, index);
                table.slots[slot as usize].is_accessed = true;
                *place = Some(slot);
            }
            touched.fee_vault = transaction.fee_vault().map(|index| {
                let slot = table.slot(&mut slot_of, index);
                // A fee out of bounds is never earned.
                let fee = transaction.fee().amount;
                let offered = if fee < FEE_LIMIT { u128::from(fee) } else { 0 };
                table.slots[slot as usize].offered_fees += offered;
                slot
            });
            table.touched.push(touched);
        }
        let tree = state.tree();
        table
            .slots
            .par_iter_mut()
            .for_each(|slot| slot.record = tree.get(slot.index));
        table
    }

    /// How many records there are.
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots whose order of access matters to the transaction at a position.
    pub fn ordered(&self, position: usize) -> impl Iterator<Item = usize> {
        let Touched {
            accessed,
            fee_vault,
        } = self.touched[position];
        let fee_vault = fee_vault.filter(|&slot| !self.gains_only(slot));
        accessed
            .into_iter()
            .chain([fee_vault])
            .flatten()
            .map(|slot| slot as usize)
    }

    /// The record at an index that the transaction at this position touches. Of a vault that
    /// only gains, the balance is that before the batch.
    pub fn read(&self, position: usize, index: Index) -> Record {
        self.slots[self.slot_at(position, index)].record
    }

    /// Writes what the accepted transaction at this position does.
    pub fn write(&mut self, position: usize, effect: &Effect) {
        for (index, record) in effect.writes() {
            let slot = self.slot_at(position, index);
            self.slots[slot].record = record;
            self.slots[slot].is_written = true;
        }
        if let Some(fee) = effect.fee {
            let at = self.slot_at(position, fee.vault);
            let gains_only = self.gains_only(at as u32);
            let slot = &mut self.slots[at];
            slot.is_written = true;
            if gains_only {
                slot.earned_fees += fee.amount;
            } else {
                slot.record = slot.record.credited(fee.amount);
            }
        }
    }

    /// The written records at the end, by ascending index.
    pub fn into_changes(self) -> Vec<(Index, Record)> {
        let written = self.slots.into_iter().filter(|slot| slot.is_written);
        let mut changes: Vec<_> = written
            .map(|slot| match slot.earned_fees {
                0 => (slot.index, slot.record),
                fees => (slot.index, slot.record.credited(fees)),
            })
            .collect();
        changes.sort_unstable_by_key(|&(index, _)| index);
        changes
    }

    /// Whether a vault does nothing in this batch but earn fees, and would have room for all
    /// that are offered. Then no transaction can tell which fees it has already, and fees are
    /// added up in any order.
    fn gains_only(&self, slot: u32) -> bool {
        let slot = &self.slots[slot as usize];
        let balance = slot.record.vault().map_or(0, |vault| vault.balance);
        !slot.is_accessed && u128::from(balance) + slot.offered_fees < u128::from(AMOUNT_LIMIT)
    }

    fn slot(&mut self, slot_of: &mut HashMap<Index, u32>, index: Index) -> u32 {
        *slot_of.entry(index).or_insert_with(|| {
            self.slots.push(Slot {
                index,
                record: Record::EMPTY,
                is_written: false,
                is_accessed: false,
                offered_fees: 0,
                earned_fees: 0,
            });
            (self.slots.len() - 1) as u32
        })
    }

    /// The slot of an index that the transaction at this position touches.
    fn slot_at(&self, position: usize, index: Index) -> usize {
        let Touched {
            accessed,
            fee_vault,
        } = self.touched[position];
        let mut slots = accessed
            .into_iter()
            .chain([fee_vault])
            .flatten()
            .map(|slot| slot as usize);
        slots
            .find(|&slot| self.slots[slot].index == index)
            .expect("a rule reads and writes only what its transaction touches")
    }
}
