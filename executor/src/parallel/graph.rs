//! Which transaction must wait for which.

use std::sync::atomic::{AtomicU8, Ordering};

use shardfold_protocol::transaction::{Kind, Transaction};

use super::access::{Access, Role};
use super::slot::Slot;

/// No slot, or no transaction.
const NONE: u32 = u32::MAX;
/// The place of the base chain's queue beside the three roles.
const QUEUE: usize = 3;

/// A transaction in the graph.
struct Node {
    /// The slot of each [`Role`].
    slots: [u32; 3],
    /// The next transaction after it at each of these slots, and in the base chain's queue.
    next: [u32; 4],
    /// How many edges lead here from transactions that have not run yet.
    waits_for: AtomicU8,
}

/// The conflict graph: transactions that share a record run in batch order, but for records
/// that only gain. An edge leads from each access of a record to the next one. Deposits are in
/// one line, for each is valid only after the one before it in the base chain's queue.
pub(super) struct Graph(Vec<Node>);

impl Graph {
    pub fn new(transactions: &[Transaction], accesses: &[Access], slots: &[Slot]) -> Self {
        let node = || Node {
            slots: [NONE; 3],
            next: [NONE; 4],
            waits_for: AtomicU8::new(0),
        };
        let mut graph = Self(transactions.iter().map(|_| node()).collect());
        for (number, slot) in (0..).zip(slots) {
            graph.connect(number, slot, slot.accesses(accesses));
        }
        let is_deposit = |position: &u32| transactions[*position as usize].kind() == Kind::Deposit;
        let deposits = (0..transactions.len() as u32).filter(is_deposit);
        let mut previous = None;
        for position in deposits {
            if let Some(previous) = previous.replace(position) {
                graph.add_edge(previous, QUEUE, position);
            }
        }
        graph
    }

    /// Returns the transactions that wait for none, in batch order. Before the first one runs.
    pub fn roots(&self) -> Vec<u32> {
        let nodes = (0..).zip(&self.0);
        nodes
            .filter(|(_, node)| node.waits_for.load(Ordering::Relaxed) == 0)
            .map(|(position, _)| position)
            .collect()
    }

    /// Returns the transactions that need not wait any longer now that this one has run.
    pub fn released(&self, position: u32) -> impl Iterator<Item = u32> {
        let next = self.0[position as usize].next.into_iter();
        next.filter(|&next| {
            // Acquire and release: the last to get here sees what all the others wrote.
            next != NONE
                && self.0[next as usize]
                    .waits_for
                    .fetch_sub(1, Ordering::AcqRel)
                    == 1
        })
    }

    /// Returns the number of the slot that a transaction touches in a role.
    pub fn slot(&self, position: u32, role: Role) -> usize {
        self.0[position as usize].slots[role as usize] as usize
    }

    /// Notes a slot in all transactions that touch it, and puts them in line.
    fn connect(&mut self, number: u32, slot: &Slot, accesses: &[Access]) {
        let mut previous: Option<Access> = None;
        for &access in accesses {
            let position = access.position();
            self.0[position as usize].slots[access.role() as usize] = number;
            if slot.only_gains() || previous.is_some_and(|other| other.position() == position) {
                continue;
            }
            if let Some(previous) = previous.replace(access) {
                self.add_edge(previous.position(), previous.role() as usize, position);
            }
        }
    }

    fn add_edge(&mut self, from: u32, place: usize, to: u32) {
        self.0[from as usize].next[place] = to;
        *self.0[to as usize].waits_for.get_mut() += 1;
    }
}
