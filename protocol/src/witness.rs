//! What the prover of one shard needs, and nothing of the rest of the state.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files::{FileContent, FileKind};
use crate::hash::Digest;
use crate::head::{OutOfBounds, Statement, TimeError, check_time};
use crate::record::{Index, Record};
use crate::shape::Shape;
use crate::text::digest::to_hex;
use crate::transaction::{Kind, Transaction};
use crate::tree::{WitnessPathError, root_from};
use crate::usage::{ShapeExceeded, Usage};

/// One shard: a run of consecutive valid transactions and the part of the state that they
/// touch. Self-contained, so that another machine can prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardWitness {
    /// The heights to prove it with.
    pub shape: Shape,
    /// What is to be proven.
    pub statement: Statement,
    /// The transactions in order, at least one.
    pub transactions: Vec<Transaction>,
    /// Every record that they touch, vaults that earn a fee included, as it is before the first of them, by ascending index.
    pub records: Vec<(Index, Record)>,
    /// The digests beside the paths from these records to the root, level by level from the
    /// leaves up and by ascending index within a level, leaving out those that are on a path.
    #[serde(with = "crate::text::digests")]
    pub siblings: Vec<Digest>,
}

impl FileContent for ShardWitness {
    const KIND: FileKind = FileKind::Witness;
    const VERSION: u16 = 2;
    /// The largest shape with every sibling takes some 13 MB.
    const MAX_BYTES: u64 = 1 << 26;
}

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
    /// A head after that counts other transactions, queue items or withdrawals than there are.
    #[error(
        "found (transactions, queue items, withdrawals) counted {found:?} after the shard, \
         expected {expected:?}"
    )]
    Counts {
        /// As in the head after.
        found: [u64; 3],
        /// The head before and the transactions together; `None` where that is no 64-bit integer.
        expected: [Option<u64>; 3],
    },
}

impl ShardWitness {
    /// Checks everything that can be checked without executing the transactions: the shape
    /// has the capacity for them, the records are those that they touch, records and siblings make
    /// the state root before, time does not run back or leap, and the heads count them.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn validate(&self) -> Result<(), WitnessError> {
        if !self.shape.is_bounded() {
            return Err(WitnessError::Shape { found: self.shape });
        }
        self.statement.check()?;
        check_time(self.statement.before.time, self.statement.after.time)?;
        if self.transactions.is_empty() {
            return Err(WitnessError::NoTransactions);
        }
        let usage = self.usage()?;
        self.check_records(&usage)?;
        let (found, expected) = (
            root_from(&self.records, &self.siblings)?,
            self.statement.before.state_root,
        );
        if found != expected {
            return Err(WitnessError::Root { found, expected });
        }
        self.check_counts()
    }

    /// Returns how much of the shape the transactions take.
    ///
    /// # Errors
    /// The first transaction that does not fit.
    pub fn usage(&self) -> Result<Usage, WitnessError> {
        let mut usage = Usage::default();
        for (position, transaction) in self.transactions.iter().enumerate() {
            let too_large = |source| WitnessError::TooLarge { position, source };
            usage.add(transaction, &[self.shape]).map_err(too_large)?;
        }
        Ok(usage)
    }

    fn check_records(&self, usage: &Usage) -> Result<(), WitnessError> {
        let touched = usage.records();
        let mut is_there = vec![false; touched.len()];
        for (position, &(found, _)) in self.records.iter().enumerate() {
            let untouched = WitnessError::UntouchedRecord { position, found };
            let place = touched.binary_search(&found).map_err(|_| untouched)?;
            is_there[place] = true;
        }
        match is_there
            .iter()
            .zip(touched)
            .find(|(is_there, _)| !*is_there)
        {
            Some((_, expected)) => Err(WitnessError::MissingRecord { expected }),
            None => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<(), WitnessError> {
        let Statement { before, after, .. } = self.statement;
        let count = |kind| {
            let transactions = self.transactions.iter();
            transactions.filter(|t| t.kind() == kind).count() as u64
        };
        let expected = [
            before.tx_count.checked_add(self.transactions.len() as u64),
            before.queue_count.checked_add(count(Kind::Deposit)),
            before.withdrawal_count.checked_add(count(Kind::Withdraw)),
        ];
        let found = [after.tx_count, after.queue_count, after.withdrawal_count];
        if found.map(Some) != expected {
            return Err(WitnessError::Counts { found, expected });
        }
        Ok(())
    }
}
