//! The same results as [`sequential`](crate::sequential), on all threads.
//!
//! A transaction names the records that it touches, so the order that matters is known
//! beforehand: transactions that share a record run in batch order, all others may run at
//! once (`graph.rs`). A thread that has run a transaction goes on with those that waited only for
//! it, so a line of conflicts costs no more than running it; threads that have nothing to do
//! steal. Vaults that only gain, such as fee vaults, would put nearly all transactions into
//! one line: they order nothing, and what they gain is added up at the end (`slot.rs`). Which
//! records those are, and which are only read, follows from the modes of the accesses: nothing here
//! knows a kind of transaction.
//!
//! That each transaction names its accesses in advance is due to Calvin (Thomson et al., SIGMOD
//! 2012); that credits commute is due to O'Neil's escrow method (TODS 1986).

mod access;
mod graph;
mod slot;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use p3_field::PrimeCharacteristicRing;
use rayon::Scope;
use rayon::prelude::*;
use shardfold_contracts::readings::{Context, Effect, Prepared};
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Entries;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use crate::outcome::{Accepted, ExecuteError, Outcome, Receipt, check_start, context_of};
use crate::prepare::prepare_all;

use access::{Accesses, Sorted};
use graph::Graph;
use slot::Slot;

/// With more transactions to run than this a thread gives half of them away: a rule takes some
/// 100 ns. Tests have few transactions, and still want threads to meet.
const TASK: usize = if cfg!(test) { 4 } else { 256 };

/// Executes a batch: the outcome is that of [`sequential::execute`](crate::sequential::execute).
///
/// # Errors
/// A batch for another chain, head or time.
pub fn execute(
    contracts: &Contracts,
    state: &State,
    batch: &Batch,
) -> Result<Outcome, ExecuteError> {
    let (prepared, schedule) = prepare(contracts, state, batch)?;
    Ok(schedule.run(&prepared))
}

/// Does all that comes before the rules: hashes and signatures, and beside them the schedule.
///
/// # Errors
/// A batch for another chain, head or time.
pub fn prepare<'a>(
    contracts: &'a Contracts,
    state: &State,
    batch: &'a Batch,
) -> Result<(Vec<Prepared>, Schedule<'a>), ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    let chain_id = F::from_u64(batch.chain_id);
    let (prepared, schedule) = rayon::join(
        || prepare_all(contracts, &batch.transactions, chain_id),
        || Schedule::new(contracts, state, batch),
    );
    Ok((prepared, schedule?))
}

/// What must run before what, and the records that a batch touches. It needs no signatures, so
/// it can be made while they are checked.
pub struct Schedule<'a> {
    contracts: &'a Contracts,
    batch: &'a Batch,
    accesses: Accesses,
    sorted: Vec<Sorted>,
    slots: Vec<Slot>,
    graph: Graph,
    /// Before the batch.
    context: Context,
}

impl<'a> Schedule<'a> {
    /// Schedules a batch on the state that it starts from.
    ///
    /// # Errors
    /// A batch for another chain, head or time.
    ///
    /// # Panics
    /// With 2^28 transactions or more.
    pub fn new(
        contracts: &'a Contracts,
        state: &State,
        batch: &'a Batch,
    ) -> Result<Self, ExecuteError> {
        check_start(state.chain_id(), state.head(), batch)?;
        let transactions = &batch.transactions;
        let accesses = Accesses::new(contracts, transactions);
        let sorted = accesses.sorted();
        let slots = slot::all(state, &accesses, &sorted);
        let positions = 0..transactions.len() as u32;
        let is_queued = |&position: &u32| contracts.queues(&transactions[position as usize]);
        let queued: Vec<u32> = positions.filter(is_queued).collect();
        Ok(Self {
            contracts,
            batch,
            graph: Graph::new(transactions.len(), &accesses, &sorted, &slots, &queued),
            accesses,
            sorted,
            slots,
            context: context_of(state.chain_id(), state.head(), batch.time),
        })
    }

    /// Executes the batch, given one [`Prepared`] for each transaction.
    ///
    /// # Panics
    /// With more or fewer prepared transactions than the batch has.
    #[must_use]
    pub fn run(self, prepared: &[Prepared]) -> Outcome {
        assert_eq!(prepared.len(), self.batch.transactions.len());
        let run = Run {
            contracts: self.contracts,
            transactions: &self.batch.transactions,
            prepared,
            accesses: self.accesses,
            graph: self.graph,
            slots: self.slots,
            queue_count: AtomicU64::new(self.context.queue_count),
            context: self.context,
            results: Mutex::new(Results::default()),
        };
        run.execute_all();
        run.into_outcome(self.batch, &self.sorted)
    }
}

/// A batch while it is executed.
struct Run<'a> {
    contracts: &'a Contracts,
    transactions: &'a [Transaction],
    prepared: &'a [Prepared],
    accesses: Accesses,
    graph: Graph,
    slots: Vec<Slot>,
    /// As it is before the batch.
    context: Context,
    /// As it is now.
    queue_count: AtomicU64,
    results: Mutex<Results>,
}

/// What became of transactions, with their positions, in any order.
#[derive(Default)]
struct Results {
    accepted: Vec<(u32, Entries)>,
    rejected: Vec<(u32, Reject)>,
}

impl Run<'_> {
    fn execute_all(&self) {
        let roots = self.graph.roots();
        rayon::scope(|scope| {
            for task in roots.chunks(TASK) {
                scope.spawn(move |scope| self.execute_from(scope, task.to_vec()));
            }
        });
    }

    /// Executes transactions that need not wait, and all that this sets free.
    fn execute_from<'s>(&'s self, scope: &Scope<'s>, mut ready: Vec<u32>) {
        let mut results = Results::default();
        let mut effect = Effect::default();
        while let Some(position) = ready.pop() {
            match self.apply(position, &mut effect) {
                Ok(()) => {
                    self.write(position, &effect);
                    results.accepted.push((position, effect.entries));
                }
                Err(reject) => results.rejected.push((position, reject)),
            }
            ready.extend(self.graph.released(position, &self.accesses));
            if ready.len() > TASK {
                let half = ready.split_off(ready.len() / 2);
                scope.spawn(move |scope| self.execute_from(scope, half));
            }
        }
        let mut all = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        all.accepted.append(&mut results.accepted);
        all.rejected.append(&mut results.rejected);
    }

    fn apply(&self, position: u32, effect: &mut Effect) -> Result<(), Reject> {
        let at = position as usize;
        let accesses = self.accesses.of(position);
        let slots = self.graph.slots(position, &self.accesses);
        let read = |index| {
            let mut pairs = accesses.iter().zip(slots);
            let slot = pairs.find(|(access, _)| access.index == index);
            // A rule reads only what its outline lists.
            slot.map_or(Record::EMPTY, |(_, &slot)| self.slots[slot as usize].read())
        };
        // Transactions of the queue are in one line of the graph, which orders these loads and
        // stores.
        let context = Context {
            queue_count: self.queue_count.load(Ordering::Relaxed),
            ..self.context
        };
        let (transaction, prepared) = (&self.transactions[at], &self.prepared[at]);
        let contracts = self.contracts;
        contracts.run(transaction, prepared, &context, &read, effect)
    }

    /// Writes what an accepted transaction does.
    fn write(&self, position: u32, effect: &Effect) {
        for (index, record) in &effect.writes {
            if let Some(slot) = self.slot(position, *index) {
                slot.write(*record);
            }
        }
        if let Some(fee) = effect.fee
            && let Some(slot) = self.slot(position, fee.vault)
        {
            slot.write(slot.read().credited(fee.amount));
        }
        if effect.entries.queued.is_some() {
            self.queue_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn slot(&self, position: u32, index: Index) -> Option<&Slot> {
        let accesses = self.accesses.of(position).iter();
        let mut pairs = accesses.zip(self.graph.slots(position, &self.accesses));
        let (_, slot) = pairs.find(|(access, _)| access.index == index)?;
        Some(&self.slots[*slot as usize])
    }

    fn into_outcome(self, batch: &Batch, sorted: &[Sorted]) -> Outcome {
        let results = self.results.into_inner();
        let Results {
            mut accepted,
            mut rejected,
        } = results.unwrap_or_else(PoisonError::into_inner);
        rejected.sort_unstable_by_key(|&(position, _)| position);
        let mut is_rejected = vec![false; self.transactions.len()];
        for &(position, _) in &rejected {
            is_rejected[position as usize] = true;
        }
        let slots = self.slots.par_iter();
        let changes: Vec<Option<_>> = slots
            .map(|slot| slot.change(&self.accesses, sorted, &is_rejected))
            .collect();
        let prepared = self.prepared;
        let (receipts, accepted) = rayon::join(
            || receipts(batch.before.tx_count, &is_rejected, rejected),
            || {
                accepted.par_sort_unstable_by_key(|&(position, _)| position);
                let accepted = accepted.into_iter();
                let accepted = accepted.map(|(position, entries)| Accepted {
                    position: position as usize,
                    prepared: prepared[position as usize],
                    entries,
                });
                accepted.collect()
            },
        );
        Outcome {
            time: batch.time,
            receipts,
            accepted,
            changes: changes.into_iter().flatten().collect(),
        }
    }
}

/// One for each transaction; `rejects` by ascending position.
fn receipts(first_place: u64, is_rejected: &[bool], rejects: Vec<(u32, Reject)>) -> Vec<Receipt> {
    let (mut place, mut rejects) = (first_place, rejects.into_iter());
    let receipt = |&is_rejected: &bool| {
        if let Some((_, reject)) = is_rejected.then(|| rejects.next()).flatten() {
            return Receipt::Rejected(reject);
        }
        place += 1;
        Receipt::Accepted { place: place - 1 }
    };
    is_rejected.iter().map(receipt).collect()
}
