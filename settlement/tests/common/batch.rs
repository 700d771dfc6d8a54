//! Batches, executed as the operator does it.

use alloy_primitives::{Bytes, U256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::set::standard;
use shardfold_executor::outcome::Outcome;
use shardfold_executor::prepare::prepare;
use shardfold_executor::reexecute::differences;
use shardfold_executor::sequential::{self, Ledger};
use shardfold_executor::shards;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};
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
        let withdrawals = owed(before, &batch, &outcome);
        let mut state = before.clone();
        let shapes = [Shape::TINY, Shape::SMALL, Shape::MEDIUM];
        let shards = shards::cut(standard(), &mut state, &batch, &outcome, &shapes);
        let shards = shards.expect("every transaction fits a shard");
        let published = |witness| differences(standard(), witness).expect("it was cut");
        let statement = Statement {
            chain_id: before.chain_id(),
            before: *before.head(),
            after: *state.head(),
        };
        Self {
            statement,
            withdrawals,
            data: shards.iter().flat_map(published).collect(),
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

/// What a batch owes, in order: an exit owes what its vault holds when its turn comes.
fn owed(state: &State, batch: &Batch, outcome: &Outcome) -> Vec<Withdrawal> {
    let mut ledger = Ledger::new(standard(), state, batch.time);
    let mut withdrawals = vec![];
    for accepted in &outcome.accepted {
        let transaction = &batch.transactions[accepted.position];
        let words = &transaction.words;
        let before = |index: F| ledger.get(index.as_canonical_u64() as Index).0;
        let withdrawal = if transaction.kind == Kind::new("withdraw") {
            Some(Withdrawal {
                base_chain: words[6],
                address: [words[7], words[8], words[9]],
                asset: words[1],
                amount: words[2],
            })
        } else if transaction.kind == Kind::new("exit") {
            let [_, asset, amount, ..] = before(words[2]);
            Some(Withdrawal {
                base_chain: words[0],
                address: [words[7], words[8], words[9]],
                asset,
                amount,
            })
        } else {
            None
        };
        if let Some(digest) = accepted.entries.withdrawn {
            let withdrawal = withdrawal.expect("only these kinds owe");
            assert_eq!(withdrawal.digest(state.chain_id()), digest);
            withdrawals.push(withdrawal);
        }
        let prepared = prepare(standard(), transaction, F::from_u64(state.chain_id()));
        ledger
            .apply(transaction, &prepared)
            .expect("it was accepted");
    }
    withdrawals
}
