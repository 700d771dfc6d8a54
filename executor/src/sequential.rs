//! The definition: one transaction after the other.

use foldhash::{HashMap, HashMapExt};
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::readings::{Context, Effect, Prepared};
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Entries;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use crate::outcome::{ExecuteError, Outcome, check_start, context_of};
use crate::prepare::prepare;

/// A state and the records that transactions have written since.
#[derive(Clone, Debug)]
pub struct Ledger<'a> {
    contracts: &'a Contracts,
    state: &'a State,
    written: HashMap<Index, Record>,
    context: Context,
}

impl<'a> Ledger<'a> {
    /// Returns the ledger as the state has it, for a batch of this time.
    #[must_use]
    pub fn new(contracts: &'a Contracts, state: &'a State, time: u64) -> Self {
        Self {
            contracts,
            state,
            written: HashMap::new(),
            context: context_of(state.chain_id(), state.head(), time),
        }
    }

    /// Returns the record at an index as it is now.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        let written = self.written.get(&index).copied();
        written.unwrap_or_else(|| self.state.tree().get(index))
    }

    /// Returns how many items were taken from the queue until now.
    #[must_use]
    pub const fn queue_count(&self) -> u64 {
        self.context.queue_count
    }

    /// Applies a transaction, or leaves everything as it is. Returns what enters the head.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn apply(
        &mut self,
        transaction: &Transaction,
        prepared: &Prepared,
    ) -> Result<Entries, Reject> {
        let mut effect = Effect::default();
        self.try_out(transaction, prepared, &mut effect)?;
        self.accept(&effect);
        Ok(effect.entries)
    }

    /// Finds out what a transaction would do, without doing it.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn try_out(
        &self,
        transaction: &Transaction,
        prepared: &Prepared,
        effect: &mut Effect,
    ) -> Result<(), Reject> {
        let read = |index| self.get(index);
        let (contracts, context) = (self.contracts, &self.context);
        contracts.run(transaction, prepared, context, &read, effect)
    }

    /// Does what a transaction does, as [`Self::try_out`] has found.
    pub fn accept(&mut self, effect: &Effect) {
        self.written.extend(effect.writes.iter().copied());
        if let Some(fee) = effect.fee {
            let record = self.get(fee.vault).credited(fee.amount);
            self.written.insert(fee.vault, record);
        }
        self.context.queue_count += u64::from(effect.entries.queued.is_some());
    }
}

/// Executes a batch.
///
/// # Errors
/// A batch for another chain, head or time. Transactions that break a rule are no error: the
/// outcome's receipts say why they were rejected.
pub fn execute(
    contracts: &Contracts,
    state: &State,
    batch: &Batch,
) -> Result<Outcome, ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    let chain_id = F::from_u64(batch.chain_id);
    let transactions = batch.transactions.iter();
    let prepared: Vec<_> = transactions
        .map(|transaction| prepare(contracts, transaction, chain_id))
        .collect();
    run(contracts, state, batch, &prepared)
}

/// [`execute`] from where hashes and signatures are done: one [`Prepared`] for each transaction.
///
/// # Errors
/// A batch for another chain, head or time.
///
/// # Panics
/// With more or fewer prepared transactions than the batch has.
pub fn run(
    contracts: &Contracts,
    state: &State,
    batch: &Batch,
    prepared: &[Prepared],
) -> Result<Outcome, ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    assert_eq!(prepared.len(), batch.transactions.len());
    let mut ledger = Ledger::new(contracts, state, batch.time);
    let mut outcome = Outcome {
        time: batch.time,
        ..Outcome::default()
    };
    for (transaction, prepared) in batch.transactions.iter().zip(prepared) {
        let result = ledger.apply(transaction, prepared);
        outcome.push(&batch.before, result.map(|entries| (*prepared, entries)));
    }
    outcome.changes = ledger.written.into_iter().collect();
    outcome.changes.sort_unstable_by_key(|&(index, _)| index);
    Ok(outcome)
}
