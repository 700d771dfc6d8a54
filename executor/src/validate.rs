//! Whether a shard witness is well formed: what can be checked without executing it.

use foldhash::HashSet;
use shardfold_contracts::Contracts;
use shardfold_contracts::usage::{ShapeExceeded, Usage};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{OutOfBounds, Statement, TimeError, check_time};
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::text::digest::to_hex;
use shardfold_protocol::tree::{WitnessPathError, root_from};
use shardfold_protocol::witness::ShardWitness;
use thiserror::Error;

/// Why a shard witness cannot be proven, whatever its transactions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A shape with numbers beyond all bounds.
    #[error("found the shape {found:?}, expected one within the bounds of a shape")]
    Shape {
        /// The shape found.
        found: Shape,
    },
    /// A statement that could be taken for another one, or a time out of bounds.
    #[error(transparent)]
    Statement(#[from] OutOfBounds),
    /// Heads between which time cannot have passed.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A shard without transactions.
    #[error("found no transactions, expected at least one")]
    NoTransactions,
    /// More than the shape's capacity.
    #[error("transaction {position} is too much: {source}")]
    TooLarge {
        /// The first transaction that does not fit.
        position: usize,
        /// The limit of the shape that it exceeds.
        source: ShapeExceeded,
    },
    /// A record that no transaction touches.
    #[error("record {position} has index {found}, which no transaction touches")]
    UntouchedRecord {
        /// Position in the list of records.
        position: usize,
        /// The index of the record.
        found: Index,
    },
    /// A touched record that is not there.
    #[error("found no record at index {expected}, which a transaction touches")]
    MissingRecord {
        /// The index of the missing record.
        expected: Index,
    },
    /// Records and siblings that make no root.
    #[error(transparent)]
    Paths(#[from] WitnessPathError),
    /// Records and siblings that make another root than the statement's.
    #[error(
        "found records with state root {}, expected {}",
        to_hex(found),
        to_hex(expected)
    )]
    Root {
        /// The root that records and siblings make.
        found: Digest,
        /// The state root of the head before.
        expected: Digest,
    },
    /// A head after that counts other transactions or queue items than there are.
    #[error(
        "found (transactions, queue items) counted {found:?} after the shard, expected {expected:?}"
    )]
    Counts {
        /// As in the head after.
        found: [u64; 2],
        /// The head before and the transactions together; `None` where that is no 64-bit integer.
        expected: [Option<u64>; 2],
    },
}

/// Checks everything that can be checked without executing the transactions: the shape
/// has the capacity for them, the records are those that they touch, records and siblings make
/// the state root before, time does not run back or leap, and the heads count transactions and queue
/// items.
///
/// # Errors
/// The first check that fails.
pub fn validate(contracts: &Contracts, witness: &ShardWitness) -> Result<(), WitnessError> {
    if !witness.shape.is_bounded() {
        let found = witness.shape;
        return Err(WitnessError::Shape { found });
    }
    witness.statement.check()?;
    check_time(witness.statement.before.time, witness.statement.after.time)?;
    if witness.transactions.is_empty() {
        return Err(WitnessError::NoTransactions);
    }
    let usage = usage(contracts, witness)?;
    check_records(&usage, witness)?;
    let (found, expected) = (
        root_from(&witness.records, &witness.siblings)?,
        witness.statement.before.state_root,
    );
    if found != expected {
        return Err(WitnessError::Root { found, expected });
    }
    check_counts(contracts, witness)
}

/// Returns how much of the shape the transactions take.
///
/// # Errors
/// The first transaction that does not fit.
pub fn usage(contracts: &Contracts, witness: &ShardWitness) -> Result<Usage, WitnessError> {
    let mut usage = Usage::default();
    let vaults = witness.records.iter();
    let vaults = vaults.filter(|(_, record)| record.is_vault());
    let vaults: HashSet<Index> = vaults.map(|&(index, _)| index).collect();
    let is_vault = |index| vaults.contains(&index);
    for (position, transaction) in witness.transactions.iter().enumerate() {
        let too_large = |source| WitnessError::TooLarge { position, source };
        let added = usage.add(contracts, transaction, is_vault, &[witness.shape]);
        added.map_err(too_large)?;
    }
    Ok(usage)
}

fn check_records(usage: &Usage, witness: &ShardWitness) -> Result<(), WitnessError> {
    let touched = usage.records();
    let mut is_there = vec![false; touched.len()];
    for (position, &(found, _)) in witness.records.iter().enumerate() {
        let untouched = WitnessError::UntouchedRecord { position, found };
        let place = touched.binary_search(&found).map_err(|_| untouched)?;
        is_there[place] = true;
    }
    let mut missing = is_there
        .iter()
        .zip(touched)
        .filter(|(is_there, _)| !*is_there);
    match missing.next() {
        Some((_, expected)) => Err(WitnessError::MissingRecord { expected }),
        None => Ok(()),
    }
}

fn check_counts(contracts: &Contracts, witness: &ShardWitness) -> Result<(), WitnessError> {
    let Statement { before, after, .. } = witness.statement;
    let transactions = witness.transactions.iter();
    let queued = transactions.filter(|transaction| contracts.queues(transaction));
    let expected = [
        before
            .tx_count
            .checked_add(witness.transactions.len() as u64),
        before.queue_count.checked_add(queued.count() as u64),
    ];
    let found = [after.tx_count, after.queue_count];
    if found.map(Some) != expected {
        return Err(WitnessError::Counts { found, expected });
    }
    Ok(())
}
