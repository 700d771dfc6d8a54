//! Cuts the accepted transactions of a batch into shards and takes along, for each, the part
//! of the state that its proof needs.
//!
//! A shard fills the shape with which the rest of the batch would cost least if all of it were like the
//! shard's transactions, and takes the
//! smallest shape that they fit. It ends early before a transaction that can only be
//! paid with fees of the same shard, because the proof adds these at the shard's end.
//!
//! A shard publishes the differences of its records, first against last, so where shards end is
//! part of what the head commits to: whatever moves a head cuts ([`cut`], [`apply`]).

mod run;

use shardfold_contracts::usage::ShapeExceeded;
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::difference::Unpublishable;
use shardfold_protocol::head::Statement;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::tree::Records;
use shardfold_protocol::witness::ShardWitness;
use thiserror::Error;

use crate::outcome::{Accepted, Outcome, context_of};

use run::{Run, Sharder};

/// Why no shards can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShardError {
    /// No shape to choose from.
    #[error("found no shapes, expected at least one")]
    NoShapes,
    /// A shape with numbers beyond all bounds.
    #[error("found the shape {found:?}, expected one within the bounds of a shape")]
    Shape {
        /// The shape found.
        found: Shape,
    },
    /// A transaction that fits into no shape even alone.
    #[error(
        "transaction {position} of the batch fits into no shape, not even the largest: {source}"
    )]
    TransactionTooLarge {
        /// Position of the transaction in the batch.
        position: usize,
        /// What it exceeds of the largest one.
        source: ShapeExceeded,
    },
    /// An outcome that does not belong to this state and batch.
    #[error("transaction {position} was accepted, found that it is not valid: {source}")]
    NotValid {
        /// Position of the transaction in the batch.
        position: usize,
        /// The rule that it breaks.
        source: Reject,
    },
    /// A record that became what cannot be published: by a rule that makes of a vault one of another
    /// kind, asset or owner.
    #[error(transparent)]
    Unpublishable(#[from] Unpublishable),
    /// An outcome with more transactions than the batch.
    #[error("found accepted transaction {position}, the batch has {limit}")]
    NoTransaction {
        /// The position in the batch that the outcome names.
        position: usize,
        /// How many transactions the batch has.
        limit: usize,
    },
}

/// Cuts shard after shard, moving the state along: an iterator over the witnesses. After the
/// last one the state is at the end of the batch; after an error it is at the end of the last
/// shard that was given.
pub struct Shards<'a> {
    state: &'a mut State,
    sharder: Sharder<'a>,
    /// Of the batch.
    time: u64,
    /// What is not yet in a shard.
    rest: &'a [Accepted],
    /// The next run, if it was cut while the last one was hashed.
    next: Option<Result<Run<'a>, ShardError>>,
}

impl<'a> Shards<'a> {
    /// Starts at the state on which the batch was executed.
    ///
    /// # Errors
    /// No shapes, or one with numbers beyond all bounds.
    pub fn new(
        contracts: &'a Contracts,
        state: &'a mut State,
        batch: &'a Batch,
        outcome: &'a Outcome,
        shapes: &[Shape],
    ) -> Result<Self, ShardError> {
        Ok(Self {
            state,
            sharder: Sharder::new(contracts, &batch.transactions, shapes)?,
            time: batch.time,
            rest: &outcome.accepted,
            next: None,
        })
    }

    /// The witness of a run; the state moves to its end, and the next run is cut meanwhile.
    fn witness(&mut self, run: Run<'a>) -> Result<ShardWitness, ShardError> {
        let shape = self.sharder.shape(&run.usage);
        let context = run.context;
        let (transactions, changes) = run.into_parts();
        let (taken, rest) = self.rest.split_at(transactions.len());
        let entries = taken.iter().map(|accepted| &accepted.entries);
        let before = *self.state.head();
        let sharder = &self.sharder;
        let meanwhile = |records: &Records| {
            let next = sharder.next_run(records, rest, context);
            let transactions = transactions.into_iter().cloned().collect();
            (next, transactions)
        };
        let (opening, (next, transactions)) = self
            .state
            .advance_and(self.time, entries, &changes, meanwhile)?;
        (self.rest, self.next) = (rest, Some(next));
        let statement = Statement {
            chain_id: self.state.chain_id(),
            before,
            after: *self.state.head(),
        };
        Ok(ShardWitness {
            shape,
            statement,
            transactions,
            records: opening.records,
            siblings: opening.siblings,
        })
    }

    /// Moves the state to the end of the next shard, of which no witness is made.
    fn pass(&mut self) -> Result<(), ShardError> {
        let (transactions, changes) = self.next_run()?.into_parts();
        let (taken, rest) = self.rest.split_at(transactions.len());
        let entries = taken.iter().map(|accepted| &accepted.entries);
        self.state.advance(self.time, entries, &changes)?;
        self.rest = rest;
        Ok(())
    }

    fn next_run(&mut self) -> Result<Run<'a>, ShardError> {
        self.next.take().unwrap_or_else(|| {
            let (records, head) = (self.state.tree().leaves(), self.state.head());
            let context = context_of(self.state.chain_id(), head, self.time);
            self.sharder.next_run(records, self.rest, context)
        })
    }
}

impl Iterator for Shards<'_> {
    type Item = Result<ShardWitness, ShardError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.next_run().and_then(|run| self.witness(run)))
    }
}

/// Returns all shards of a batch; the state moves to its end.
///
/// # Errors
/// Shapes that cannot hold the transactions, or an outcome of another state or batch.
pub fn cut(
    contracts: &Contracts,
    state: &mut State,
    batch: &Batch,
    outcome: &Outcome,
    shapes: &[Shape],
) -> Result<Vec<ShardWitness>, ShardError> {
    Shards::new(contracts, state, batch, outcome, shapes)?.collect()
}

/// Moves the state to the end of a batch, shard by shard, without their witnesses. Where shards end
/// is part of what the head commits to, so the shapes are those with which the batch is proven.
///
/// # Errors
/// As [`cut`]; the state is at the end of some shard then.
pub fn apply(
    contracts: &Contracts,
    state: &mut State,
    batch: &Batch,
    outcome: &Outcome,
    shapes: &[Shape],
) -> Result<(), ShardError> {
    let mut shards = Shards::new(contracts, state, batch, outcome, shapes)?;
    while !shards.rest.is_empty() {
        shards.pass()?;
    }
    Ok(())
}
