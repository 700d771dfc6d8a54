//! What can be wrong with a shape or with a proof that is to be verified in a circuit.

use p3_fri::verifier::FriError;
use p3_lookup::LookupError;
use p3_merkle_tree::MerkleTreeError;
use thiserror::Error;

use super::layout::Oracle;

/// Why no circuit is built for a shape, or why a proof is not taken as its witness.
#[derive(Debug, Error)]
pub enum RecursionError {
    /// A list in the proof, or given by the caller, has another length than the shape says.
    #[error("{part}: expected {expected} entries, found {found}")]
    Length {
        /// Name of the list.
        part: &'static str,
        /// Entries that the shape asks for.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A part is there that the shape has not, or is missing.
    #[error("{part}: expected to be present: {expected}")]
    Presence {
        /// Name of the part.
        part: &'static str,
        /// Whether the shape has it.
        expected: bool,
    },
    /// A table's height in the proof is not the shape's.
    #[error("table {table}: expected 2^{expected} rows, the proof says 2^{found}")]
    Height {
        /// Position of the table among those of the shape.
        table: usize,
        /// log2 of the rows by the shape.
        expected: usize,
        /// log2 of the rows by the proof.
        found: usize,
    },
    /// A grinding witness does not do the work that its site asks for.
    #[error("the grinding witness does not meet {bits} bits")]
    Grinding {
        /// The difficulty at the site.
        bits: usize,
    },
    /// The out-of-domain point that the transcript draws lies in a table's domain.
    #[error("the out-of-domain point is in the domain of a table")]
    PointInDomain,
    /// A number of the shape is outside what the circuit supports.
    #[error("{part}: {found} is outside {minimum}..={maximum}")]
    Unsupported {
        /// Name of the number.
        part: &'static str,
        /// The number found.
        found: usize,
        /// The least supported number.
        minimum: usize,
        /// The greatest supported number.
        maximum: usize,
    },
    /// A matrix of a table is lower than the cap of its Merkle tree.
    #[error("table {table}, {oracle:?} columns: found 2^{found} rows, expected at least {}, one for each root of the tree", 1_u64 << .least)]
    TableBelowCap {
        /// Position of the table among those of the shape.
        table: usize,
        /// The commitment that the matrix belongs to.
        oracle: Oracle,
        /// log2 of the rows, blow-up included.
        found: usize,
        /// log2 of the tree's roots.
        least: usize,
    },
    /// What a round of the low-degree test commits to is lower than the cap of its Merkle tree.
    #[error("folding round {round}: found 2^{found} rows, expected at least {}, one for each root of the tree", 1_u64 << .least)]
    RoundBelowCap {
        /// Position of the round.
        round: usize,
        /// log2 of the rows.
        found: usize,
        /// log2 of the tree's roots.
        least: usize,
    },
    /// A periodic column of the table does not fit its height.
    #[error("table {table}: a periodic column has {period} values, which do not divide its rows")]
    Period {
        /// Position of the table among those of the shape.
        table: usize,
        /// How many values the column has.
        period: usize,
    },
    /// The lookups of the tables could overflow the field.
    #[error("lookups: {0}")]
    Lookup(#[from] LookupError),
    /// The openings do not fit the commitments of the proof.
    #[error("openings: {0}")]
    Opening(#[from] Box<FriError<MerkleTreeError, MerkleTreeError>>),
    /// A Merkle proof does not fit its tree.
    #[error("Merkle proof: {0}")]
    Merkle(#[from] MerkleTreeError),
    /// Two values were set for one target of the circuit.
    #[error("the circuit's witness already holds another value")]
    Conflict,
}

/// Checks a length against the shape's.
pub(super) fn check_length(
    part: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), RecursionError> {
    if expected == found {
        return Ok(());
    }
    Err(RecursionError::Length {
        part,
        expected,
        found,
    })
}

/// Checks that an optional part is there exactly when the shape has it.
pub(super) fn check_presence(
    part: &'static str,
    expected: bool,
    found: bool,
) -> Result<(), RecursionError> {
    if expected == found {
        return Ok(());
    }
    Err(RecursionError::Presence { part, expected })
}

/// Checks that a number of the shape is in a supported range.
pub(super) fn check_range(
    part: &'static str,
    found: usize,
    range: core::ops::RangeInclusive<usize>,
) -> Result<(), RecursionError> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(RecursionError::Unsupported {
        part,
        found,
        minimum: *range.start(),
        maximum: *range.end(),
    })
}
