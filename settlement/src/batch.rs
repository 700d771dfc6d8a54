//! What goes to the contract beside the proof of a batch: made of the batch itself.

use alloy_primitives::U256;
use p3_field::PrimeField64;
use shardfold_contracts::{Contracts, Reject};
use shardfold_executor::outcome::{ExecuteError, Outcome};
use shardfold_executor::parallel;
use shardfold_executor::reexecute::{ReexecuteError, differences};
use shardfold_executor::sequential::Ledger;
use shardfold_executor::shards::{self, ShardError};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::data::Settlement;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};
use thiserror::Error;

use crate::data::{DataMode, Publication, PublicationError};
use crate::interface::IRollup::settleCall;
use crate::withdrawals::{Withdrawal, WithdrawalTree};

/// A batch as the contract learns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledBatch {
    /// What its proof states.
    pub statement: Statement,
    /// What it owes, in order.
    pub withdrawals: Vec<Withdrawal>,
    /// The differences of its records, shard by shard.
    pub differences: Vec<F>,
}

/// Why a batch cannot be settled.
#[derive(Debug, Error)]
pub enum BatchError {
    /// A batch for another state.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// Shapes that cannot hold it.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A shard that does not replay.
    #[error(transparent)]
    Reexecute(#[from] ReexecuteError),
    /// An accepted transaction that is refused when it is done again.
    #[error("transaction {position} was accepted, and is refused when it is done again: {source}")]
    Refused {
        /// Its place in the batch.
        position: usize,
        /// Why.
        source: Reject,
    },
    /// A transaction that owes what this build cannot name.
    #[error(
        "transaction {position} of the kind {kind} owes something to a base chain, and this build \
         does not know what: only `withdraw` and `exit` are known"
    )]
    Owes {
        /// Its place in the batch.
        position: usize,
        /// Its kind.
        kind: String,
    },
}

impl SettledBatch {
    /// Executes a batch on a state, which moves to its end; `shapes` are those with which it is
    /// proven, since where shards end is part of the head.
    ///
    /// # Errors
    /// A batch of another state, shapes that do not hold it, or something that it owes by a rule
    /// that this build does not know.
    pub fn execute(
        contracts: &'static Contracts,
        state: &mut State,
        batch: &Batch,
        shapes: &[Shape],
    ) -> Result<Self, BatchError> {
        let outcome = parallel::execute(contracts, state, batch)?;
        let withdrawals = owed(contracts, state, batch, &outcome)?;
        let (chain_id, before) = (state.chain_id(), *state.head());
        let witnesses = shards::cut(contracts, state, batch, &outcome, shapes)?;
        let mut published = vec![];
        for witness in &witnesses {
            published.extend(differences(contracts, witness)?);
        }
        Ok(Self {
            statement: Statement {
                chain_id,
                before,
                after: *state.head(),
            },
            withdrawals,
            differences: published,
        })
    }

    /// Returns what is published of it.
    ///
    /// # Errors
    /// More differences than one settlement publishes.
    pub fn published(&self, mode: DataMode) -> Result<Publication, PublicationError> {
        let Statement { before, after, .. } = &self.statement;
        let (before, after) = (&before.data_commitment, &after.data_commitment);
        Publication::new(mode, before, after, &self.differences)
    }

    /// Returns what its settlement proof says when so much is published of it.
    #[must_use]
    pub const fn settlement(&self, publication: &Publication) -> Settlement {
        Settlement {
            statement: self.statement,
            evaluation: publication.evaluation(),
        }
    }

    /// Returns the call that settles it with a proof, up to a checkpoint if `place` names one. The
    /// blobs of a publication go beside it, in their order.
    #[must_use]
    pub fn call(&self, publication: &Publication, proof: Vec<u8>, place: u64) -> settleCall {
        let entries = self.withdrawals.iter().flat_map(Withdrawal::entry);
        settleCall {
            proof: proof.into(),
            withdrawals: entries.collect::<Vec<_>>().into(),
            data: publication.calldata().clone(),
            openings: publication.openings().clone(),
            place: U256::from(place),
        }
    }

    /// Returns the tree from which its withdrawals are claimed; none if it owes nothing.
    #[must_use]
    pub fn tree(&self) -> Option<WithdrawalTree> {
        WithdrawalTree::new(self.statement.before.withdrawal_count, &self.withdrawals)
    }
}

/// What a batch owes, in order: an exit owes what its vault holds when its turn comes.
fn owed(
    contracts: &Contracts,
    state: &State,
    batch: &Batch,
    outcome: &Outcome,
) -> Result<Vec<Withdrawal>, BatchError> {
    let mut ledger = Ledger::new(contracts, state, batch.time);
    let mut withdrawals = vec![];
    for accepted in &outcome.accepted {
        let position = accepted.position;
        let transaction = &batch.transactions[position];
        if let Some(digest) = accepted.entries.withdrawn {
            let withdrawal = withdrawal(transaction, &ledger)
                .filter(|withdrawal| withdrawal.digest(state.chain_id()) == digest);
            withdrawals.push(withdrawal.ok_or_else(|| BatchError::Owes {
                position,
                kind: transaction.kind.name(),
            })?);
        }
        ledger
            .apply(transaction, &accepted.prepared)
            .map_err(|source| BatchError::Refused { position, source })?;
    }
    Ok(withdrawals)
}

/// What a transaction owes that does owe something, before it is applied.
fn withdrawal(transaction: &Transaction, ledger: &Ledger<'_>) -> Option<Withdrawal> {
    let words = &transaction.words;
    if transaction.kind == Kind::new("withdraw") {
        let &[_, asset, amount, _, _, _, base_chain, a, b, c] = words.first_chunk()?;
        return Some(Withdrawal {
            base_chain,
            address: [a, b, c],
            asset,
            amount,
        });
    }
    if transaction.kind == Kind::new("exit") {
        let &[base_chain, _, index, _, _, _, _, a, b, c] = words.first_chunk()?;
        let index = Index::try_from(index.as_canonical_u64()).ok()?;
        let [_, asset, amount, ..] = ledger.get(index).0;
        return Some(Withdrawal {
            base_chain,
            address: [a, b, c],
            asset,
            amount,
        });
    }
    None
}
