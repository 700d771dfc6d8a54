//! The same results as [`sequential`](crate::sequential), on all threads.
//!
//! A transaction names the records that it touches, so the order that matters is known
//! beforehand: transactions that share a record run in batch order, all others may run at
//! once (`graph.rs`). A thread that has run a transaction goes on with those that waited only for
//! it, so a line of conflicts costs no more than running it; threads that have nothing to do
//! steal. Vaults that only gain, such as fee vaults, would put nearly all transactions into
//! one line: they order nothing, and what they gain is added up at the end (`slot.rs`).
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
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};

use crate::outcome::{Accepted, ExecuteError, Outcome, Receipt, check_start};
use crate::prepare::{Prepared, prepare_all};
use crate::reject::Reject;
use crate::rules::{self, Effect};

use access::{Access, Role};
use graph::Graph;
use slot::Slot;

/// With more transactions to run than this a thread gives half of them away: a rule takes some
/// 100 ns. Tests have few transactions, and still want threads to meet.
const TASK: usize = if cfg!(test) { 4 } else { 256 };

/// Executes a batch: the outcome is that of [`sequential::execute`](crate::sequential::execute).
///
/// # Errors
/// A batch for another chain, head or time.
pub fn execute(state: &State, batch: &Batch) -> Result<Outcome, ExecuteError> {
    let (prepared, schedule) = prepare(state, batch)?;
    Ok(schedule.run(&prepared))
}

/// Does all that comes before the rules: hashes and signatures, and beside them the schedule.
///
/// # Errors
/// A batch for another chain, head or time.
pub fn prepare<'a>(
    state: &State,
    batch: &'a Batch,
) -> Result<(Vec<Prepared>, Schedule<'a>), ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    let chain_id = F::from_u64(batch.chain_id);
    let (prepared, schedule) = rayon::join(
        || prepare_all(&batch.transactions, chain_id),
        || Schedule::new(state, batch),
    );
    Ok((prepared, schedule?))
}

/// What must run before what, and the records that a batch touches. It needs no signatures, so
/// it can be made while they are checked.
pub struct Schedule<'a> {
    batch: &'a Batch,
    accesses: Vec<Access>,
    slots: Vec<Slot>,
    graph: Graph,
    /// Of the state.
    deposit_count: u64,
}

impl<'a> Schedule<'a> {
    /// Schedules a batch on the state that it starts from.
    ///
    /// # Errors
    /// A batch for another chain, head or time.
    ///
    /// # Panics
    /// With 2^30 transactions or more.
    pub fn new(state: &State, batch: &'a Batch) -> Result<Self, ExecuteError> {
        check_start(state.chain_id(), state.head(), batch)?;
        let transactions = &batch.transactions;
        let accesses = access::sorted(transactions);
        let slots = slot::all(state, transactions, &accesses);
        Ok(Self {
            batch,
            graph: Graph::new(transactions, &accesses, &slots),
            accesses,
            slots,
            deposit_count: state.head().queue_count,
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
            transactions: &self.batch.transactions,
            prepared,
            graph: self.graph,
            slots: self.slots,
            deposit_count: AtomicU64::new(self.deposit_count),
            rejects: Mutex::new(Vec::new()),
        };
        run.execute_all();
        run.into_outcome(self.batch, &self.accesses)
    }
}

/// A batch while it is executed.
struct Run<'a> {
    transactions: &'a [Transaction],
    prepared: &'a [Prepared],
    graph: Graph,
    slots: Vec<Slot>,
    deposit_count: AtomicU64,
    /// With their positions, in any order.
    rejects: Mutex<Vec<(u32, Reject)>>,
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
        let mut rejects = Vec::new();
        while let Some(position) = ready.pop() {
            match self.apply(position) {
                Ok(effect) => self.write(position, &effect),
                Err(reject) => rejects.push((position, reject)),
            }
            ready.extend(self.graph.released(position));
            if ready.len() > TASK {
                let half = ready.split_off(ready.len() / 2);
                scope.spawn(move |scope| self.execute_from(scope, half));
            }
        }
        let mut all = self.rejects.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(rejects);
    }

    fn apply(&self, position: u32) -> Result<Effect, Reject> {
        let at = position as usize;
        let (transaction, authority) = (&self.transactions[at], &self.prepared[at].authority);
        let indices = transaction.accessed();
        let read = |index| {
            let mut roles = Role::ALL.into_iter();
            let role = roles.find(|&role| indices[role as usize] == Some(index));
            let role = role.expect("a rule reads only what its transaction touches");
            self.slot(position, role).read()
        };
        // Deposits are in one line of the graph, which orders these loads and stores.
        let deposit_count = self.deposit_count.load(Ordering::Relaxed);
        rules::apply(transaction, authority, deposit_count, read)
    }

    /// Writes what an accepted transaction does.
    fn write(&self, position: u32, effect: &Effect) {
        if let Some((_, vault)) = effect.sender {
            self.slot(position, Role::Pay).write(vault.into());
        }
        if let Some((_, vault)) = effect.receiver {
            self.slot(position, Role::Receive).write(vault.into());
        }
        if let Some(fee) = effect.fee {
            let slot = self.slot(position, Role::Fee);
            slot.write(slot.read().credited(fee.amount));
        }
        if self.transactions[position as usize].kind() == Kind::Deposit {
            self.deposit_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn slot(&self, position: u32, role: Role) -> &Slot {
        &self.slots[self.graph.slot(position, role)]
    }

    fn into_outcome(self, batch: &Batch, accesses: &[Access]) -> Outcome {
        let rejects = self.rejects.into_inner();
        let mut rejects = rejects.unwrap_or_else(PoisonError::into_inner);
        rejects.sort_unstable_by_key(|&(position, _)| position);
        let mut is_rejected = vec![false; self.transactions.len()];
        for &(position, _) in &rejects {
            is_rejected[position as usize] = true;
        }
        let slots = self.slots.par_iter();
        let changes: Vec<Option<_>> = slots
            .map(|slot| slot.change(self.transactions, accesses, &is_rejected))
            .collect();
        let (receipts, accepted) = rayon::join(
            || receipts(batch.before.tx_count, &is_rejected, rejects),
            || accepted(self.transactions, self.prepared, &is_rejected),
        );
        Outcome {
            time: batch.time,
            receipts,
            accepted,
            changes: changes.into_iter().flatten().collect(),
        }
    }
}

/// Those that were not rejected, in order.
fn accepted(
    transactions: &[Transaction],
    prepared: &[Prepared],
    is_rejected: &[bool],
) -> Vec<Accepted> {
    let rejected = is_rejected.iter().filter(|rejected| **rejected).count();
    let mut accepted = Vec::with_capacity(transactions.len() - rejected);
    let each = transactions.iter().zip(prepared).enumerate();
    let each = each.filter(|&(position, _)| !is_rejected[position]);
    accepted.extend(each.map(|(position, (transaction, prepared))| Accepted {
        position,
        kind: transaction.kind(),
        prepared: *prepared,
    }));
    accepted
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
