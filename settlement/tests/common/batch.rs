//! Batches, executed as the operator does it.

use shardfold_contracts::set::standard;
use shardfold_executor::sequential;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{DataMode, Publication};
use shardfold_settlement::encoding::settlement_bytes;
use shardfold_settlement::interface::IRollup::settleCall;
use shardfold_settlement::withdrawals::{Withdrawal, WithdrawalTree};

/// What the operator has of a batch when it is executed.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// What its proof states.
    pub statement: Statement,
    /// What it owes.
    pub withdrawals: Vec<Withdrawal>,
    /// The differences of its records.
    pub data: Vec<F>,
    /// Where it is published.
    pub mode: DataMode,
    /// The ledger after it.
    pub state: State,
    /// The checkpoint at which it ends, where that matters.
    pub place: u64,
}

impl Settlement {
    /// Executes transactions, all of which must be valid; it is published in calldata.
    #[track_caller]
    pub fn new(before: &State, time: u64, transactions: Vec<Transaction>) -> Self {
        let batch = Batch {
            chain_id: before.chain_id(),
            before: *before.head(),
            time,
            transactions,
        };
        let outcome = sequential::execute(standard(), before, &batch).expect("it starts here");
        let (expected, found) = (batch.transactions.len(), outcome.accepted.len());
        assert_eq!(found, expected, "{:?}", outcome.receipts);
        let mut state = before.clone();
        let shapes = [Shape::TINY, Shape::SMALL, Shape::MEDIUM];
        let settled = SettledBatch::execute(standard(), &mut state, &batch, &shapes);
        let settled = settled.expect("every transaction fits a shard");
        Self {
            statement: settled.statement,
            withdrawals: settled.withdrawals,
            data: settled.differences,
            mode: DataMode::Calldata,
            state,
            place: 0,
        }
    }

    /// Returns the batch as the library has it.
    pub fn settled(&self) -> SettledBatch {
        SettledBatch {
            statement: self.statement,
            withdrawals: self.withdrawals.clone(),
            differences: self.data.clone(),
        }
    }

    /// Returns what is published of it.
    pub fn publication(&self) -> Publication {
        let publication = self.settled().published(self.mode);
        publication.expect("it is not too much")
    }

    /// Returns the call that settles it, with what a proof states in place of one.
    pub fn call(&self) -> settleCall {
        self.call_with(&self.publication())
    }

    /// [`Self::call`] with what is published of it.
    pub fn call_with(&self, publication: &Publication) -> settleCall {
        let settled = self.settled();
        let proof = settlement_bytes(&settled.settlement(publication));
        settled.call(publication, proof, self.place)
    }

    /// Returns the tree of its withdrawals.
    pub fn tree(&self) -> WithdrawalTree {
        let first = self.statement.before.withdrawal_count;
        WithdrawalTree::new(first, &self.withdrawals).expect("it owes something")
    }
}
