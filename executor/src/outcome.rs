//! What comes of a batch.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::Reject;
use shardfold_contracts::readings::{Context, Prepared};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::head::{Entries, Head, TimeError, check_time};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::text;
use thiserror::Error;

/// What became of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is part of the ledger.
    Accepted {
        /// How many transactions of the ledger come before it.
        place: u64,
    },
    /// It was rejected.
    Rejected(Reject),
}

/// An accepted transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Where it is in the batch.
    pub position: usize,
    /// Its hashes and who signed it.
    pub prepared: Prepared,
    /// What enters the head.
    pub entries: Entries,
}

/// The result of a batch on a state, which it leaves as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The time of the batch.
    pub time: u64,
    /// One for each transaction of the batch, in its order.
    pub receipts: Vec<Receipt>,
    /// The accepted transactions in order.
    pub accepted: Vec<Accepted>,
    /// Every record that was written, as it is after the batch, by ascending index.
    pub changes: Vec<(Index, Record)>,
}

/// A batch that is not for this state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecuteError {
    /// A batch for another chain.
    #[error("found a batch for chain {found}, expected {expected}")]
    ChainId {
        /// The chain id of the batch.
        found: u64,
        /// The chain id of the state.
        expected: u64,
    },
    /// A batch that starts at another head.
    #[error(
        "found a batch that starts at {}, expected {}",
        name(found),
        name(expected)
    )]
    Head {
        /// The head at which the batch starts.
        found: Box<Head>,
        /// The head of the state.
        expected: Box<Head>,
    },
    /// A batch whose time runs back, leaps by 2^32 seconds or is 2^40 or more.
    #[error("the batch cannot follow the head: {0}")]
    Time(#[from] TimeError),
}

/// A head for people, by all of it that can differ.
fn name(head: &Head) -> String {
    let hex = text::digest::to_hex;
    format!(
        "transaction {} with {} queue items, {} withdrawals, time {}, state root {} and commitments \
         {}, {}, {}, {}",
        head.tx_count,
        head.queue_count,
        head.withdrawal_count,
        head.time,
        hex(&head.state_root),
        hex(&head.queue_commitment),
        hex(&head.withdrawal_commitment),
        hex(&head.data_commitment),
        hex(&head.tx_commitment)
    )
}

impl Outcome {
    /// Notes what became of the next transaction.
    pub(crate) fn push(&mut self, before: &Head, result: Result<(Prepared, Entries), Reject>) {
        let position = self.receipts.len();
        self.receipts.push(match result {
            Ok((prepared, entries)) => {
                let place = before.tx_count + self.accepted.len() as u64;
                self.accepted.push(Accepted {
                    position,
                    prepared,
                    entries,
                });
                Receipt::Accepted { place }
            }
            Err(reject) => Receipt::Rejected(reject),
        });
    }
}

/// What rules see of a ledger besides its records.
pub(crate) fn context_of(chain_id: u64, head: &Head, time: u64) -> Context {
    Context {
        chain_id: F::from_u64(chain_id),
        time,
        queue_count: head.queue_count,
    }
}

/// Checks that a batch is for the state of this chain and head.
///
/// # Errors
/// Another chain, another head, or a time that cannot follow the head's.
pub fn check_start(chain_id: u64, head: &Head, batch: &Batch) -> Result<(), ExecuteError> {
    let (found, expected) = (batch.chain_id, chain_id);
    if found != expected {
        return Err(ExecuteError::ChainId { found, expected });
    }
    let (found, expected) = (batch.before, *head);
    if found != expected {
        let (found, expected) = (Box::new(found), Box::new(expected));
        return Err(ExecuteError::Head { found, expected });
    }
    Ok(check_time(head.time, batch.time)?)
}
