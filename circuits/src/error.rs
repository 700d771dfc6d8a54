//! What can be wrong with the input of a trace generator.

use shardfold_protocol::record::Index;
use thiserror::Error;

/// A shard's witness from which no trace can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// A chip needs more rows than its shape has.
    #[error("chip {chip} needs {rows} rows, its height is 2^{log_height}")]
    TooManyRows {
        /// Name of the chip.
        chip: &'static str,
        /// Rows needed.
        rows: usize,
        /// log2 of the rows there are.
        log_height: usize,
    },
    /// There are no records, but every shard has a transaction, which touches one.
    #[error("found no records, expected at least one")]
    NoRecords,
    /// The records are not by ascending index, or an index is repeated.
    #[error("record {position} has index {found}, expected one above {previous}")]
    Order {
        /// Where in the list of records, from 0.
        position: usize,
        /// Its index.
        found: Index,
        /// The index of the record before it.
        previous: Index,
    },
    /// More or fewer siblings than there are beside the paths of the records.
    #[error("found {found} siblings, expected {expected}")]
    SiblingCount {
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A signature is not valid for its key and message.
    #[error("signature {index} of the shard is not valid")]
    InvalidSignature {
        /// Which of the shard's signatures, from 0.
        index: usize,
    },
    /// A ladder would add points with the same x, which no key made as a multiple of the
    /// generator leads to.
    #[error("a ladder would add two points with the same x")]
    DegenerateAddition,
}

impl TraceError {
    /// Refuses more rows than fit.
    ///
    /// # Errors
    ///
    /// [`TraceError::TooManyRows`] if `rows` is above `2^log_height`.
    pub fn check_rows(chip: &'static str, rows: usize, log_height: usize) -> Result<(), Self> {
        if rows > 1 << log_height {
            return Err(Self::TooManyRows {
                chip,
                rows,
                log_height,
            });
        }
        Ok(())
    }
}
