//! What the contract has published, from the logs that any node of the base chain gives: heads,
//! withdrawals and differences of every settled batch.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolEvent as _;
use serde::Deserialize;
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::head::{HEAD_ELEMENTS, Head};
use shardfold_protocol::rebuild::RebuildError;
use shardfold_protocol::state::State;
use thiserror::Error;

use crate::interface::IRollup::Settled;

/// A settled batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its number, from 0.
    pub batch: u64,
    /// The head after it.
    pub head: Head,
    /// What it owes: entries of [`ENTRY_BYTES`](crate::withdrawals::ENTRY_BYTES).
    pub withdrawals: Bytes,
    /// The differences of its records.
    pub differences: Vec<F>,
}

/// Why logs are not those of a contract from its first batch on.
#[derive(Debug, Error)]
pub enum PublishedError {
    /// No answer of `eth_getLogs`.
    #[error("not the logs of a node (the answer to eth_getLogs, or its list): {0}")]
    Json(#[from] serde_json::Error),
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
    /// Batches of more than one contract.
    #[error("found batches of the contracts {first} and {other}: name one")]
    Contracts {
        /// The contract of one batch.
        first: Address,
        /// The contract of another.
        other: Address,
    },
    /// A batch that is missing or there twice.
    #[error("found batch {found}, expected batch {expected}: the logs have gaps or repetitions")]
    Order {
        /// The batch found.
        found: u64,
        /// The one expected.
        expected: u64,
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

/// A log as a node gives it; other members do not matter.
#[derive(Deserialize)]
struct Log {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    /// Whether the block was left by the chain.
    #[serde(default)]
    removed: bool,
}

/// What a node answers, or the list in it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Whole { result: Vec<Log> },
    List(Vec<Log>),
}

/// Reads the settled batches from the answer to `eth_getLogs`; logs of other events are passed over,
/// and so are those of blocks that the chain has left. Of `contract`, or of the only one.
///
/// # Errors
/// If the batches are not all of one contract, each once, from the first on.
pub fn settled(json: &[u8], contract: Option<Address>) -> Result<Vec<Published>, PublishedError> {
    let logs = match serde_json::from_slice(json)? {
        Answer::Whole { result } | Answer::List(result) => result,
    };
    let mut batches: Vec<Published> = vec![];
    let mut only = contract;
    for (number, log) in logs.iter().enumerate() {
        let is_ours = contract.is_none_or(|contract| contract == log.address);
        let is_settled = log.topics.first() == Some(&Settled::SIGNATURE_HASH);
        if !is_settled || !is_ours || log.removed {
            continue;
        }
        let first = *only.get_or_insert(log.address);
        if first != log.address {
            let other = log.address;
            return Err(PublishedError::Contracts { first, other });
        }
        batches.push(read(number, log)?);
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
        withdrawals: event.withdrawals,
        differences: elements(batch, "differences", &event.data)?,
    })
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

/// Moves a state from the genesis to the last settled head.
///
/// # Errors
/// If a batch does not lead to its head; the state is at the head before it then.
pub fn rebuild(state: &mut State, batches: &[Published]) -> Result<(), PublishedError> {
    for published in batches {
        let batch = published.batch;
        state
            .rebuild(&published.head, &published.differences)
            .map_err(|source| PublishedError::Rebuild { batch, source })?;
    }
    Ok(())
}
