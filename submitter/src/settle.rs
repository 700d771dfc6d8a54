//! One batch, from its call to a settlement that is so many blocks deep: once, whatever happens between.

mod error;
mod prepare;
mod report;
mod sign;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256};
use shardfold_protocol::head::Statement;
use shardfold_settlement::batch::SettledBatch;
use shardfold_settlement::data::{Publication, PublicationError};
use shardfold_settlement::encoding::head_digest;
use shardfold_settlement::interface::IRollup::settleCall;

use crate::endpoints::Endpoints;
use crate::journal::{Journal, Lock, Subject};

pub use error::SettleError;
pub use report::Report;
use sign::Sidecar;

/// What is to be settled.
#[derive(Clone, Debug)]
pub struct Order {
    /// The call.
    pub call: settleCall,
    /// Whether the call's checkpoint was named; else it is looked for where one is needed.
    pub has_place: bool,
    /// What its proof states.
    pub statement: Statement,
    /// The hash of the data of the proof's verifier, if the contract's must be that one.
    pub verifier: Option<B256>,
    /// The blobs that go beside the call, with what nodes want of them.
    sidecar: Option<Sidecar>,
}

impl Order {
    /// Settles a batch by a proof of what is published of it; up to a checkpoint, if one is named.
    ///
    /// # Errors
    /// None for blobs of one's own.
    pub fn new(
        batch: &SettledBatch,
        publication: &Publication,
        proof: Vec<u8>,
        checkpoint: Option<u64>,
    ) -> Result<Self, PublicationError> {
        Ok(Self {
            call: batch.call(publication, proof, checkpoint.unwrap_or(0)),
            has_place: checkpoint.is_some(),
            statement: batch.statement,
            verifier: None,
            sidecar: sign::sidecar(publication)?,
        })
    }
}

/// How to settle.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many blocks must follow that of the settlement.
    pub depth: u64,
    /// How long to wait between two looks at the chain.
    pub poll: Duration,
    /// How long a transaction may wait before it is sent with a higher fee.
    pub patience: Duration,
    /// The most wei that a unit of gas may cost.
    pub max_fee: u128,
    /// The most wei that a unit of blob gas may cost.
    pub max_blob_fee: u128,
}

/// Who settles, where, and how.
pub struct Settler<'a> {
    /// The nodes.
    pub endpoints: &'a Endpoints,
    /// The contract.
    pub contract: Address,
    /// Who signs.
    pub signer: PrivateKeySigner,
    /// Where the journal goes.
    pub journal: PathBuf,
    /// How.
    pub options: Options,
    /// Is told what happens, a line at a time.
    pub say: &'a dyn Fn(&str),
}

/// What there is to do.
#[derive(Debug)]
pub enum Prepared {
    /// Nothing: the batch is settled.
    Settled(Report),
    /// A transaction is in the journal, to be sent and watched.
    Ready(Journal),
}

impl Settler<'_> {
    /// Settles a batch, or finds that it is settled.
    ///
    /// # Errors
    /// Whatever the contract would refuse, before anything is sent; nodes that do not answer or do not
    /// agree; a journal that cannot be kept. After an error the same again is safe.
    pub async fn settle(&self, order: &Order) -> Result<Report, SettleError> {
        let _lock = Lock::take(&self.journal)?;
        loop {
            let mut journal = match self.prepare(order).await? {
                Prepared::Settled(report) => return Ok(report),
                Prepared::Ready(journal) => journal,
            };
            if let Some(report) = self.watch(order, &mut journal).await? {
                return Ok(report);
            }
        }
    }

    fn subject(&self, order: &Order) -> Subject {
        Subject {
            chain_id: self.endpoints.chain_id(),
            contract: self.contract,
            settler: self.signer.address(),
            before: head_digest(&order.statement.before),
            after: head_digest(&order.statement.after),
        }
    }
}
