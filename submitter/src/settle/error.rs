//! Why a batch was not settled.

use alloy_primitives::B256;
use shardfold_settlement::data::PublicationError;
use thiserror::Error;

use crate::checks::Refusal;
use crate::endpoints::{AllSaid, EndpointError};
use crate::gas::TooMuchGas;
use crate::journal::JournalError;

/// Why a batch was not settled.
#[derive(Debug, Error)]
pub enum SettleError {
    /// Nodes that do not answer, or do not agree.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// What the contract would refuse.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// A journal that cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// More gas than a transaction may have.
    #[error(transparent)]
    Gas(#[from] TooMuchGas),
    /// A call that the contract refuses when it is tried out.
    #[error("the settlement was tried out and is refused, so nothing was sent: {0}")]
    Simulation(EndpointError),
    /// A key that does not sign.
    #[error("the transaction cannot be signed: {0}")]
    Sign(String),
    /// Blobs to which no proof of cells can be made.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A transaction of the journal that publishes elsewhere than the proof says.
    #[error(
        "found the transaction {hash} in the journal, which publishes in {found}, expected {expected}, \
         where the proof has its data; nodes take neither in the other's place: settle with the proof \
         of that transaction, or name another journal when it is mined or gone"
    )]
    OtherData {
        /// Its hash.
        hash: B256,
        /// Where it publishes.
        found: &'static str,
        /// Where the proof has its data.
        expected: &'static str,
    },
    /// A transaction that no node takes.
    #[error(
        "no endpoint takes the transaction {hash}, which is in the journal: run this again when what \
         they say has passed; {said}"
    )]
    NotSent {
        /// Its hash.
        hash: B256,
        /// What they say.
        said: AllSaid,
    },
    /// A settlement that was mined and has failed.
    #[error(
        "the transaction {hash} was mined in block {block} and failed, with {gas} gas spent: somebody \
         else may have settled before it; run this again to see"
    )]
    Failed {
        /// Its hash.
        hash: B256,
        /// In which block.
        block: u64,
        /// The gas that it took.
        gas: u64,
    },
}

impl SettleError {
    /// Says whether the same may work later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Endpoint(_) | Self::NotSent { .. } | Self::Journal(JournalError::Io { .. }) => {
                true
            }
            Self::Journal(JournalError::InUse { .. }) => true,
            Self::Refusal(refusal) => refusal.may_pass(),
            _ => false,
        }
    }
}
