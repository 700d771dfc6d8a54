//! Batches, executed as the operator does it.

use alloy_primitives::{Bytes, U256};
use shardfold_contracts::set::standard;
use shardfold_executor::sequential;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::encoding;
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
    /// The ledger after it.
    pub state: State,
    /// The checkpoint at which it ends, where that matters.
    pub place: u64,
}

impl Settlement {
    /// Executes transactions, all of which must be valid.
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
            state,
            place: 0,
        }
    }

    /// Returns the call that settles it, with a statement in place of a proof.
    pub fn call(&self) -> settleCall {
        let entries = self.withdrawals.iter().flat_map(Withdrawal::entry);
        settleCall {
            proof: encoding::statement_bytes(&self.statement).into(),
            withdrawals: entries.collect::<Vec<_>>().into(),
            data: Bytes::from(encoding::bytes(&self.data)),
            place: U256::from(self.place),
        }
    }

    /// Returns the tree of its withdrawals.
    pub fn tree(&self) -> WithdrawalTree {
        let first = self.statement.before.withdrawal_count;
        WithdrawalTree::new(first, &self.withdrawals).expect("it owes something")
    }
}
