//! What can be wrong with the input of a trace generator.

use shardfold_contracts::Reject;
use shardfold_protocol::data::TooMuchData;
use shardfold_protocol::difference::Unpublishable;
use shardfold_protocol::record::Index;
use thiserror::Error;

/// A shard's witness from which no trace can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// A chip needs more rows than its shape has.
    #[error("chip {chip} needs {rows} rows, it has {capacity}")]
    TooManyRows {
        /// Name of the chip.
        chip: &'static str,
        /// Rows needed.
        rows: usize,
        /// The rows there are.
        capacity: usize,
    },
    /// More differences than a settlement publishes.
    #[error(transparent)]
    TooMuchData(#[from] TooMuchData),
    /// There are no records, but every shard has a transaction, which touches one.
    #[error("found no records, expected at least one")]
    NoRecords,
    /// The records are not by ascending index, or an index is repeated.
    #[error("record {position} has index {found}, expected one above {previous}")]
    Order {
        /// Where in the list of records, from 0.
        position: usize,
        /// The index of the record at this position.
        found: Index,
        /// The index of the record before it.
        previous: Index,
    },
    /// More or fewer siblings than there are beside the paths of the records.
    #[error("found {found} siblings, expected {expected}")]
    SiblingCount {
        /// Siblings found.
        found: usize,
        /// Siblings beside the paths of the records.
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
    /// A number does not fit its limbs.
    #[error("{value} is not below 2^{bits}")]
    OutOfRange {
        /// The number found.
        value: u64,
        /// Bits of the limbs.
        bits: u32,
    },
    /// A record is touched that the witness does not have.
    #[error("record {index} is touched but not among the witness's records")]
    MissingRecord {
        /// The index of the missing record.
        index: Index,
    },
    /// Time runs back, or moves by 2^32 seconds or more.
    #[error("found time {found} after the shard, expected less than 2^32 seconds from {before} on")]
    Time {
        /// The time after the shard.
        found: u64,
        /// The time before the shard.
        before: u64,
    },
    /// A transaction breaks a rule.
    #[error("transaction {position} of the shard breaks a rule: {reject}")]
    Rejected {
        /// Which of the shard's transactions, from 0.
        position: usize,
        /// The rule.
        reject: Reject,
    },
    /// A fee goes to where no vault of its asset is.
    #[error("record {index} is not a vault of asset {asset}, in which a fee is paid to it")]
    NoFeeVault {
        /// The index of the record.
        index: Index,
        /// The asset of the fee.
        asset: u64,
    },
    /// A record became what cannot be published.
    #[error(transparent)]
    Unpublishable(#[from] Unpublishable),
    /// A vault cannot hold what it receives.
    #[error("vault {index} holds {balance} and cannot take {amount} more")]
    BalanceTooLarge {
        /// The index of the receiving vault.
        index: Index,
        /// The balance of the vault.
        balance: u64,
        /// The amount that it should receive.
        amount: u64,
    },
    /// A record is accessed twice at one clock (a transfer to itself).
    #[error("record {index} was written at clock {old}, expected before {new}")]
    ClockNotLater {
        /// The index of the record.
        index: Index,
        /// The clock of the last access that wrote it.
        old: u32,
        /// The clock of this access.
        new: u32,
    },
}

impl TraceError {
    /// Refuses more rows than fit.
    ///
    /// # Errors
    ///
    /// [`TraceError::TooManyRows`] if `rows` is above `2^log_height`.
    pub fn check_rows(chip: &'static str, rows: usize, log_height: usize) -> Result<(), Self> {
        Self::check_capacity(chip, rows, 1 << log_height)
    }

    /// Checks that a chip has so many rows, in all its tables.
    ///
    /// # Errors
    /// [`Self::TooManyRows`] if it has fewer.
    pub fn check_capacity(chip: &'static str, rows: usize, capacity: usize) -> Result<(), Self> {
        if rows > capacity {
            return Err(Self::TooManyRows {
                chip,
                rows,
                capacity,
            });
        }
        Ok(())
    }
}
