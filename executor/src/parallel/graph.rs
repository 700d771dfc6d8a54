//! Which transaction must wait for which.

use std::sync::atomic::{AtomicU8, Ordering};

use super::access::{Accesses, Sorted};
use super::slot::Slot;

/// No slot, or no transaction.
const NONE: u32 = u32::MAX;

/// The conflict graph: transactions that share a record run in batch order, but for records whose
/// accesses commute. An edge leads from each access of a record to the next one. Transactions that
/// take an item from the base chain's queue are in one line, for each is valid only after the one
/// before it.
pub(super) struct Graph {
    /// The slot of each access.
    slots: Vec<u32>,
    /// The transaction with the next access of the same slot, for each access.
    next: Vec<u32>,
    /// The next transaction in the line of the queue, for each transaction; empty if there is no
    /// line.
    queue: Vec<u32>,
    /// How many edges lead to each transaction from those that have not run yet.
    waits_for: Vec<AtomicU8>,
}

impl Graph {
    /// Makes the graph of a batch of so many transactions; `queued` are those that take an item from
    /// the queue, in batch order.
    pub fn new(
        transactions: usize,
        accesses: &Accesses,
        sorted: &[Sorted],
        slots: &[Slot],
        queued: &[u32],
    ) -> Self {
        let mut graph = Self {
            slots: vec![NONE; accesses.len()],
            next: vec![NONE; accesses.len()],
            queue: vec![NONE; if queued.is_empty() { 0 } else { transactions }],
            waits_for: (0..transactions).map(|_| AtomicU8::new(0)).collect(),
        };
        for (number, slot) in (0..).zip(slots) {
            graph.connect(number, slot, slot.accesses(sorted), accesses);
        }
        for pair in queued.windows(2) {
            graph.queue[pair[0] as usize] = pair[1];
            graph.wait(pair[1]);
        }
        graph
    }

    /// Returns the transactions that wait for none, in batch order. Before the first one runs.
    pub fn roots(&self) -> Vec<u32> {
        let counts = (0..).zip(&self.waits_for);
        counts
            .filter(|(_, waits_for)| waits_for.load(Ordering::Relaxed) == 0)
            .map(|(position, _)| position)
            .collect()
    }

    /// Returns the transactions that need not wait any longer now that this one has run.
    pub fn released(&self, position: u32, accesses: &Accesses) -> impl Iterator<Item = u32> {
        let next = self.next[accesses.range(position)].iter();
        let next = next.chain(self.queue.get(position as usize)).copied();
        next.filter(|&next| {
            // Acquire and release: the last to get here sees what all the others wrote.
            next != NONE && self.waits_for[next as usize].fetch_sub(1, Ordering::AcqRel) == 1
        })
    }

    /// Returns the slots of a transaction's accesses, in their order.
    pub fn slots(&self, position: u32, accesses: &Accesses) -> &[u32] {
        &self.slots[accesses.range(position)]
    }

    /// Notes a slot in all accesses of it, and puts their transactions in line.
    fn connect(&mut self, number: u32, slot: &Slot, mine: &[Sorted], accesses: &Accesses) {
        let mut previous: Option<Sorted> = None;
        for &access in mine {
            self.slots[accesses.place(access)] = number;
            let is_same = |other: Sorted| other.position() == access.position();
            if slot.commutes() || previous.is_some_and(is_same) {
                continue;
            }
            if let Some(previous) = previous.replace(access) {
                self.next[accesses.place(previous)] = access.position();
                self.wait(access.position());
            }
        }
    }

    fn wait(&mut self, position: u32) {
        *self.waits_for[position as usize].get_mut() += 1;
    }
}
