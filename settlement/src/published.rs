//! What the contract has published, from the logs that any node of the base chain gives: heads,
//! withdrawals and differences of every settled batch; the differences of those in blobs from
//! whoever has kept these.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolEvent as _;
use shardfold_protocol::data::{Coefficient, DataError, differences};
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head};
use shardfold_protocol::rebuild::RebuildError;
use shardfold_protocol::state::State;
use thiserror::Error;

use crate::data::{BLOB_BYTES, COEFFICIENT_BYTES, from_blob, from_calldata};
use crate::events::Log;
use crate::interface::IRollup::Settled;
use crate::withdrawals::{Withdrawal, lead};

/// A settled batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its number, from 0.
    pub batch: u64,
    /// The head after it.
    pub head: Head,
    /// What it owes.
    pub withdrawals: Vec<Withdrawal>,
    /// The differences of its records, or where they are.
    pub data: Data,
}

/// Where the coefficients of a batch's differences are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Here, as the contract read them.
    Calldata(Bytes),
    /// In the blobs with these hashes, in this order.
    Blobs(Vec<B256>),
}

/// Why logs do not lead from a contract's first batch on.
#[derive(Debug, Error)]
pub enum PublishedError {
    /// An event that is marked as `Settled` and is none.
    #[error("log {log} is marked as a settled batch and is none: {source}")]
    Event {
        /// Which log.
        log: usize,
        /// What is wrong.
        source: alloy_sol_types::Error,
    },
    /// Bytes that are no elements.
    #[error("batch {batch}: found {found} as the {what}, expected elements of 8 bytes below p")]
    Elements {
        /// Which batch.
        batch: u64,
        /// What they should be.
        what: &'static str,
        /// What is there instead.
        found: String,
    },
    /// A batch that is missing or there twice.
    #[error("found batch {found}, expected batch {expected}: the logs have gaps or repetitions")]
    Order {
        /// The batch found.
        found: u64,
        /// The one expected.
        expected: u64,
    },
    /// Calldata that are no coefficients.
    #[error(
        "batch {batch}: found {found} bytes of data, expected coefficients of {COEFFICIENT_BYTES}"
    )]
    Length {
        /// Which batch.
        batch: u64,
        /// How many bytes there are.
        found: usize,
    },
    /// A blob that nobody has kept.
    #[error("batch {batch}: found no blob {hash}, without which nobody knows what it changed")]
    Missing {
        /// Which batch.
        batch: u64,
        /// The blob's hash.
        hash: B256,
    },
    /// Bytes that are no blob.
    #[error("batch {batch}: found {found} bytes as the blob {hash}, expected {BLOB_BYTES}")]
    Blob {
        /// Which batch.
        batch: u64,
        /// The blob's hash.
        hash: B256,
        /// How many bytes there are.
        found: usize,
    },
    /// Data that are not the batch's.
    #[error("batch {batch}: its calldata or blobs are not what was settled: {source}")]
    Data {
        /// Which batch.
        batch: u64,
        /// What is wrong.
        source: DataError,
    },
    /// Withdrawals that are not the batch's.
    #[error("batch {batch}: its {found} withdrawals are not those of its head")]
    Withdrawals {
        /// Which batch.
        batch: u64,
        /// How many there are.
        found: usize,
    },
    /// A batch that does not lead to its head.
    #[error("batch {batch} does not lead to its head: {source}")]
    Rebuild {
        /// Which batch.
        batch: u64,
        /// What is wrong.
        source: RebuildError,
    },
}

/// Reads the settled batches of a contract from logs, in any order; those of other events are passed
/// over, and so are those of blocks that the chain has left.
///
/// # Errors
/// If the batches are not there each once, from the first on.
pub fn settled(logs: &[Log], contract: Address) -> Result<Vec<Published>, PublishedError> {
    let mut batches: Vec<Published> = vec![];
    for (number, log) in logs.iter().enumerate() {
        if log.is_of(contract) && log.topics.first() == Some(&Settled::SIGNATURE_HASH) {
            batches.push(read(number, log)?);
        }
    }
    batches.sort_by_key(|published| published.batch);
    for (expected, published) in (0..).zip(&batches) {
        let found = published.batch;
        if found != expected {
            return Err(PublishedError::Order { found, expected });
        }
    }
    Ok(batches)
}

fn read(number: usize, log: &Log) -> Result<Published, PublishedError> {
    let topics = log.topics.iter().copied();
    let event =
        Settled::decode_raw_log(topics, &log.data).map_err(|source| PublishedError::Event {
            log: number,
            source,
        })?;
    // More batches than fit 64 bits are never settled: the number is looked at in order anyway.
    let batch = event.batch.try_into().unwrap_or(u64::MAX);
    let head = elements(batch, "head", &event.head)?;
    let head: [F; HEAD_ELEMENTS] = head.try_into().map_err(|_| PublishedError::Elements {
        batch,
        what: "head",
        found: format!("{} bytes", event.head.len()),
    })?;
    Ok(Published {
        batch,
        head: Head::from_elements(&head),
        withdrawals: withdrawals(batch, &event.withdrawals)?,
        data: match event.blobs.is_empty() {
            true => Data::Calldata(event.data),
            false => Data::Blobs(event.blobs),
        },
    })
}

/// A list of withdrawals.
fn withdrawals(batch: u64, bytes: &[u8]) -> Result<Vec<Withdrawal>, PublishedError> {
    let elements = elements(batch, "withdrawals", bytes)?;
    let (withdrawals, rest) = elements.as_chunks();
    if !rest.is_empty() {
        return Err(PublishedError::Elements {
            batch,
            what: "withdrawals",
            found: format!("{} bytes", bytes.len()),
        });
    }
    Ok(withdrawals.iter().map(Withdrawal::from_elements).collect())
}

/// Elements of 8 bytes, big-endian.
fn elements(batch: u64, what: &'static str, bytes: &[u8]) -> Result<Vec<F>, PublishedError> {
    let wrong = |found| PublishedError::Elements { batch, what, found };
    let (words, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(wrong(format!("{} bytes", bytes.len())));
    }
    let element = |&word: &[u8; 8]| {
        let value = u64::from_be_bytes(word);
        canonical(value).ok_or_else(|| wrong(value.to_string()))
    };
    words.iter().map(element).collect()
}

/// Moves a state from the genesis to the last settled head. `blob` gives the blob of a hash, if
/// somebody has kept it; it need not be believed, since only what leads from one head to the next is
/// taken.
///
/// # Errors
/// If a batch does not lead to its head, or a blob is missing; the state is at the head before it
/// then.
pub fn rebuild(
    state: &mut State,
    batches: &[Published],
    mut blob: impl FnMut(&B256) -> Option<Bytes>,
) -> Result<(), PublishedError> {
    for published in batches {
        let batch = published.batch;
        let coefficients = published.coefficients(&mut blob)?;
        let owed = &published.withdrawals;
        if !lead(state.chain_id(), state.head(), &published.head, owed) {
            let found = owed.len();
            return Err(PublishedError::Withdrawals { batch, found });
        }
        let before = state.head().data_commitment;
        let differences = differences(&coefficients, &before, &published.head.data_commitment)
            .map_err(|source| PublishedError::Data { batch, source })?;
        state
            .rebuild(&published.head, &differences)
            .map_err(|source| PublishedError::Rebuild { batch, source })?;
    }
    Ok(())
}

impl Published {
    /// The coefficients of its differences.
    fn coefficients(
        &self,
        blob: &mut impl FnMut(&B256) -> Option<Bytes>,
    ) -> Result<Vec<Coefficient>, PublishedError> {
        let batch = self.batch;
        let hashes = match &self.data {
            Data::Calldata(bytes) => {
                let found = bytes.len();
                return from_calldata(bytes).ok_or(PublishedError::Length { batch, found });
            }
            Data::Blobs(hashes) => hashes,
        };
        let mut coefficients = vec![];
        for &hash in hashes {
            let bytes = blob(&hash).ok_or(PublishedError::Missing { batch, hash })?;
            let found = bytes.len();
            let read = from_blob(&bytes).ok_or(PublishedError::Blob { batch, hash, found })?;
            coefficients.extend(read);
        }
        Ok(coefficients)
    }
}
