//! The definition: one transaction after the other.

use foldhash::{HashMap, HashMapExt};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};

use crate::outcome::{ExecuteError, Outcome, check_start};
use crate::prepare::{Authority, Prepared, prepare};
use crate::reject::Reject;
use crate::rules;

/// A state and the records that transactions have written since.
#[derive(Clone, Debug)]
pub struct Ledger<'a> {
    state: &'a State,
    written: HashMap<Index, Record>,
    deposit_count: u64,
}

impl<'a> Ledger<'a> {
    /// Returns the ledger as the state has it.
    #[must_use]
    pub fn new(state: &'a State) -> Self {
        let deposit_count = state.head().queue_count;
        Self {
            state,
            written: HashMap::new(),
            deposit_count,
        }
    }

    /// Returns the record at an index as it is now.
    #[must_use]
    pub fn get(&self, index: Index) -> Record {
        let written = self.written.get(&index).copied();
        written.unwrap_or_else(|| self.state.tree().get(index))
    }

    /// Returns how many deposits were taken until now.
    #[must_use]
    pub const fn deposit_count(&self) -> u64 {
        self.deposit_count
    }

    /// Applies a transaction, or leaves everything as it is.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn apply(
        &mut self,
        transaction: &Transaction,
        authority: &Authority,
    ) -> Result<(), Reject> {
        let read = |index| self.get(index);
        let effect = rules::apply(transaction, authority, self.deposit_count, read)?;
        self.written.extend(effect.writes());
        if let Some(fee) = effect.fee {
            let record = self.get(fee.vault).credited(fee.amount);
            self.written.insert(fee.vault, record);
        }
        if transaction.kind() == Kind::Deposit {
            self.deposit_count += 1;
        }
        Ok(())
    }
}

/// Executes a batch.
///
/// # Errors
/// A batch for another chain, head or time. Transactions that break a rule are no error: the
/// outcome's receipts say why they were rejected.
pub fn execute(state: &State, batch: &Batch) -> Result<Outcome, ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    let chain_id = F::from_u64(batch.chain_id);
    let transactions = batch.transactions.iter();
    let prepared: Vec<_> = transactions
        .map(|transaction| prepare(transaction, chain_id))
        .collect();
    run(state, batch, &prepared)
}

/// [`execute`] from where hashes and signatures are done: one [`Prepared`] for each transaction.
///
/// # Errors
/// A batch for another chain, head or time.
///
/// # Panics
/// With more or fewer prepared transactions than the batch has.
pub fn run(state: &State, batch: &Batch, prepared: &[Prepared]) -> Result<Outcome, ExecuteError> {
    check_start(state.chain_id(), state.head(), batch)?;
    assert_eq!(prepared.len(), batch.transactions.len());
    let mut ledger = Ledger::new(state);
    let mut outcome = Outcome {
        time: batch.time,
        ..Outcome::default()
    };
    for (transaction, prepared) in batch.transactions.iter().zip(prepared) {
        let result = ledger.apply(transaction, &prepared.authority);
        outcome.push(
            &batch.before,
            result.map(|()| (transaction.kind(), *prepared)),
        );
    }
    outcome.changes = ledger.written.into_iter().collect();
    outcome.changes.sort_unstable_by_key(|&(index, _)| index);
    Ok(outcome)
}
