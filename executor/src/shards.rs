//! Cuts the accepted transactions of a batch into shards and takes along, for each, the part
//! of the state that its proof needs.
//!
//! A shard takes as many transactions as the largest shape has room for, and then the
//! smallest shape that has room for them. It ends early before a transaction that can only be
//! paid with fees of the same shard, because the proof adds these at the shard's end.

use std::collections::{BTreeMap, HashMap};

use shardfold_protocol::batch::Batch;
use shardfold_protocol::head::Statement;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::{Kind, Transaction};
use shardfold_protocol::usage::{ShapeExceeded, Usage};
use shardfold_protocol::witness::ShardWitness;
use thiserror::Error;

use crate::outcome::{Accepted, Outcome};
use crate::prepare::Authority;
use crate::reject::Reject;
use crate::rules;

/// Why no shards can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShardError {
    /// No shape to choose from.
    #[error("found no shapes, expected at least one")]
    NoShapes,
    /// A shape with numbers beyond all bounds.
    #[error("found the shape {found:?}, expected one within the bounds of a shape")]
    Shape {
        /// The shape.
        found: Shape,
    },
    /// A transaction that fits into no shape even alone.
    #[error("transaction {position} of the batch does not fit into the largest shape: {source}")]
    TransactionTooLarge {
        /// Where it is in the batch.
        position: usize,
        /// What it exceeds.
        source: ShapeExceeded,
    },
    /// An outcome that does not belong to this state and batch.
    #[error("transaction {position} was accepted, found that it is not valid: {source}")]
    NotValid {
        /// Where it is in the batch.
        position: usize,
        /// The rule that it breaks.
        source: Reject,
    },
    /// An outcome with more transactions than the batch.
    #[error("found accepted transaction {position}, the batch has {limit}")]
    NoTransaction {
        /// Where it should be in the batch.
        position: usize,
        /// How many there are.
        limit: usize,
    },
}

/// Cuts shard after shard, moving the state along: an iterator over the witnesses. After the
/// last one the state is at the end of the batch; after an error it is at the end of the last
/// shard that was given.
pub struct Shards<'a> {
    state: &'a mut State,
    transactions: &'a [Transaction],
    /// What is not yet in a shard.
    rest: &'a [Accepted],
    /// By ascending size.
    shapes: Vec<Shape>,
}

impl<'a> Shards<'a> {
    /// Starts at the state on which the batch was executed.
    ///
    /// # Errors
    /// No shapes, or one with numbers beyond all bounds.
    pub fn new(
        state: &'a mut State,
        batch: &'a Batch,
        outcome: &'a Outcome,
        shapes: &[Shape],
    ) -> Result<Self, ShardError> {
        let mut shapes = shapes.to_vec();
        shapes.sort_by_key(|shape| {
            (
                shape.log_transactions,
                shape.log_permutations,
                shape.log_nodes,
            )
        });
        if shapes.is_empty() {
            return Err(ShardError::NoShapes);
        }
        if let Some(&found) = shapes.iter().find(|shape| !shape.is_bounded()) {
            return Err(ShardError::Shape { found });
        }
        let (transactions, rest) = (&batch.transactions[..], &outcome.accepted[..]);
        Ok(Self {
            state,
            transactions,
            rest,
            shapes,
        })
    }

    /// The next run of transactions that fits into the largest shape.
    fn next_run(&self) -> Result<Run<'a>, ShardError> {
        let largest = self.shapes.last().ok_or(ShardError::NoShapes)?;
        let mut run = Run::new(self.state.head().deposit_count);
        for &Accepted {
            position, prepared, ..
        } in self.rest
        {
            let limit = self.transactions.len();
            let missing = ShardError::NoTransaction { position, limit };
            let transaction = self.transactions.get(position).ok_or(missing)?;
            match run.add(self.state, transaction, &prepared.authority, largest) {
                Ok(()) => {}
                // It may do so in a shard of its own.
                Err(_) if !run.transactions.is_empty() => break,
                Err(Unfit::Shape(source)) => {
                    return Err(ShardError::TransactionTooLarge { position, source });
                }
                Err(Unfit::Rule(source)) => return Err(ShardError::NotValid { position, source }),
            }
        }
        Ok(run)
    }

    /// The witness of a run; the state moves to its end.
    fn witness(&mut self, run: Run<'a>) -> ShardWitness {
        let fits = |shape: &&Shape| run.usage.fits(shape).is_ok();
        let largest = self.shapes[self.shapes.len() - 1];
        let shape = self.shapes.iter().find(fits).copied().unwrap_or(largest);
        let indices: Vec<Index> = run.usage.records().iter().copied().collect();
        let tree = self.state.tree();
        let records = indices
            .iter()
            .map(|&index| (index, tree.get(index)))
            .collect();
        let siblings = tree.siblings(&indices);
        let before = *self.state.head();
        let (taken, rest) = self.rest.split_at(run.transactions.len());
        self.rest = rest;
        let entries = taken
            .iter()
            .map(|entry| (entry.kind, &entry.prepared.digests));
        let transactions = run
            .transactions
            .iter()
            .map(|&transaction| transaction.clone())
            .collect();
        let changes = run.into_changes(self.state);
        self.state.advance(entries, &changes);
        let after = *self.state.head();
        let statement = Statement {
            chain_id: self.state.chain_id(),
            before,
            after,
        };
        ShardWitness {
            shape,
            statement,
            transactions,
            records,
            siblings,
        }
    }
}

impl Iterator for Shards<'_> {
    type Item = Result<ShardWitness, ShardError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.next_run().map(|run| self.witness(run)))
    }
}

/// All shards of a batch; the state moves to its end.
///
/// # Errors
/// Shapes that cannot hold the transactions, or an outcome of another state or batch.
pub fn cut(
    state: &mut State,
    batch: &Batch,
    outcome: &Outcome,
    shapes: &[Shape],
) -> Result<Vec<ShardWitness>, ShardError> {
    Shards::new(state, batch, outcome, shapes)?.collect()
}

/// Why a transaction cannot be the next of a run.
enum Unfit {
    Shape(ShapeExceeded),
    Rule(Reject),
}

/// A shard in the making, with its fees still apart.
struct Run<'a> {
    transactions: Vec<&'a Transaction>,
    usage: Usage,
    written: HashMap<Index, Record>,
    /// The fees that the shard's end will add.
    owed: BTreeMap<Index, u64>,
    deposit_count: u64,
}

impl<'a> Run<'a> {
    fn new(deposit_count: u64) -> Self {
        Self {
            transactions: Vec::new(),
            usage: Usage::default(),
            written: HashMap::new(),
            owed: BTreeMap::new(),
            deposit_count,
        }
    }

    /// Adds a transaction, or changes nothing if it does not fit or is not valid without the
    /// fees that are owed.
    fn add(
        &mut self,
        state: &State,
        transaction: &'a Transaction,
        authority: &Authority,
        shape: &Shape,
    ) -> Result<(), Unfit> {
        let effect = rules::apply(transaction, authority, self.deposit_count, |index| {
            let written = self.written.get(&index).copied();
            written.unwrap_or_else(|| state.tree().get(index))
        });
        let effect = effect.map_err(Unfit::Rule)?;
        self.usage.add(transaction, shape).map_err(Unfit::Shape)?;
        self.written.extend(effect.writes());
        if let Some(fee) = effect.fee {
            *self.owed.entry(fee.vault).or_default() += fee.amount;
        }
        self.deposit_count += u64::from(transaction.kind() == Kind::Deposit);
        self.transactions.push(transaction);
        Ok(())
    }

    /// The written records at the end, fees included.
    fn into_changes(mut self, state: &State) -> Vec<(Index, Record)> {
        for (index, fees) in self.owed {
            let record = self
                .written
                .entry(index)
                .or_insert_with(|| state.tree().get(index));
            *record = record.credited(fees);
        }
        self.written.into_iter().collect()
    }
}
