//! The same results as [`sequential`](crate::sequential), on all threads.
//!
//! A transaction names the records that it touches, so the order that matters is known
//! beforehand: transactions that share a record run in batch order, all others may run at
//! once. They are sorted into waves; those of a wave share nothing (`waves.rs`). Fees would
//! put nearly all transactions into one line, so fee vaults that only ever gain in this batch
//! are added up apart (`table.rs`).

mod table;
mod waves;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};

use crate::outcome::{ExecuteError, Outcome, check_start};
use crate::prepare::{Prepared, prepare_all};
use crate::reject::Reject;
use crate::rules::{self, Effect};

use table::Table;
use waves::Waves;

/// Below so many transactions a wave is not worth the threads: a rule takes about 100 ns.
const PARALLEL_WAVE: usize = 512;

/// Executes a batch: the outcome is that of [`sequential::execute`](crate::sequential::execute).
///
/// # Errors
/// A batch for another chain or head.
pub fn execute(state: &State, batch: &Batch) -> Result<Outcome, ExecuteError> {
    check_start(state, batch)?;
    let prepared = prepare_all(&batch.transactions, F::from_u64(batch.chain_id));
    run(state, batch, &prepared)
}

/// [`execute`] from where hashes and signatures are done: one [`Prepared`] for each transaction.
///
/// # Errors
/// A batch for another chain or head.
///
/// # Panics
/// With more or fewer prepared transactions than the batch has.
pub fn run(state: &State, batch: &Batch, prepared: &[Prepared]) -> Result<Outcome, ExecuteError> {
    check_start(state, batch)?;
    let transactions = &batch.transactions;
    assert_eq!(prepared.len(), transactions.len());
    let mut run = Run {
        transactions,
        prepared,
        table: Table::new(state, transactions),
        deposit_count: state.head().deposit_count,
        rejects: vec![None; transactions.len()],
    };
    for wave in Waves::new(transactions, &run.table).iter() {
        run.execute_wave(wave);
    }
    let mut outcome = Outcome::default();
    for ((transaction, prepared), reject) in transactions.iter().zip(prepared).zip(run.rejects) {
        let accepted = (transaction.kind(), *prepared);
        outcome.push(&batch.before, reject.map_or(Ok(accepted), Err));
    }
    outcome.changes = run.table.into_changes();
    Ok(outcome)
}

/// A batch while it is executed.
struct Run<'a> {
    transactions: &'a [Transaction],
    prepared: &'a [Prepared],
    table: Table,
    deposit_count: u64,
    rejects: Vec<Option<Reject>>,
}

impl Run<'_> {
    /// Executes transactions, given by their positions, of which no two share a record.
    fn execute_wave(&mut self, wave: &[u32]) {
        if wave.len() < PARALLEL_WAVE {
            for &position in wave {
                let result = self.execute_one(position);
                self.apply(position, result);
            }
            return;
        }
        let results: Vec<_> = wave
            .par_iter()
            .map(|&position| self.execute_one(position))
            .collect();
        for (&position, result) in wave.iter().zip(results) {
            self.apply(position, result);
        }
    }

    fn execute_one(&self, position: u32) -> Result<Effect, Reject> {
        let at = position as usize;
        let authority = &self.prepared[at].authority;
        let read = |index| self.table.read(at, index);
        rules::apply(&self.transactions[at], authority, self.deposit_count, read)
    }

    fn apply(&mut self, position: u32, result: Result<Effect, Reject>) {
        let at = position as usize;
        match result {
            Ok(effect) => {
                self.table.write(at, &effect);
                let is_deposit = self.transactions[at].kind() == Kind::Deposit;
                self.deposit_count += u64::from(is_deposit);
            }
            Err(reject) => self.rejects[at] = Some(reject),
        }
    }
}
