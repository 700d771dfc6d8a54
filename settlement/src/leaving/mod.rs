//! What takes everything of an owner out of a frozen contract, call by call: made of published data
//! and the public key alone.

mod records;
#[cfg(test)]
mod tests;
mod waiting;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use serde::Serialize;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::State;
use shardfold_protocol::text::integer;
use thiserror::Error;

use crate::escape::{EscapeError, owner};
use crate::events::Events;
use crate::published::Published;
use crate::queue::Place;

/// What one call does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "function", rename_all = "camelCase")]
pub enum Step {
    /// Pays a withdrawal that a batch owes.
    Claim {
        /// How many the ledger owed before it.
        #[serde(with = "integer")]
        number: u64,
        /// What is owed.
        #[serde(with = "integer")]
        asset: Asset,
        /// How much.
        #[serde(with = "integer")]
        amount: u64,
    },
    /// Pays a deposit back that no batch took, with its fee.
    Reclaim {
        /// How many items the queue had before it.
        #[serde(with = "integer")]
        position: u64,
        /// What was paid.
        #[serde(with = "integer")]
        asset: Asset,
        /// How much.
        #[serde(with = "integer")]
        amount: u64,
    },
    /// Shows that the queue's chain up to a count leads to one that the contract knows: for deposits that
    /// many items follow.
    ShowLink {
        /// How many items come before it.
        #[serde(with = "integer")]
        count: u64,
    },
    /// Takes a vault out: an asset of the base chain is paid, shares are noted as due.
    Escape {
        /// Where the vault lies.
        index: Index,
        /// What it holds.
        #[serde(with = "integer")]
        asset: Asset,
        /// How much.
        #[serde(with = "integer")]
        balance: u64,
    },
    /// Shows a record to the contract, once for everybody.
    Open {
        /// Where it lies.
        index: Index,
    },
    /// Pays a position's debt for its collateral, which is noted as due. Who sends it pays, and after 30
    /// days gets the collateral.
    Repay {
        /// Where the position lies.
        index: Index,
        /// What the debt is in.
        #[serde(with = "integer")]
        asset: Asset,
        /// The debt, in units.
        #[serde(with = "integer")]
        debt: u64,
    },
    /// Notes the rest of a payout as due to who paid it.
    RefundPayout {
        /// Where the payout lies.
        index: Index,
        /// What is left, in units.
        #[serde(with = "integer")]
        amount: u64,
        /// Of which asset.
        #[serde(with = "integer")]
        asset: Asset,
    },
    /// Gives shares back: what they are a part of is noted as due.
    Redeem {
        /// The shares.
        #[serde(with = "integer")]
        asset: Asset,
    },
    /// Pays what is due of an asset of the base chain.
    PayDue {
        /// The asset.
        #[serde(with = "integer")]
        asset: Asset,
    },
}

/// A call that anybody may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// What it does.
    #[serde(flatten)]
    pub step: Step,
    /// What is sent.
    pub data: Bytes,
}

/// What the contract holds for an owner and gives to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Stuck {
    /// The collateral of a position: its debt is in shares, in which nobody can pay it.
    Collateral {
        /// Where the position lies.
        index: Index,
    },
    /// Shares of a record of a kind that the contract does not know.
    Shares {
        /// The shares.
        #[serde(with = "integer")]
        asset: Asset,
    },
}

/// What needs no call, since the logs say that it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Gone {
    /// A withdrawal that was claimed.
    Withdrawal {
        /// Its number.
        #[serde(with = "integer")]
        number: u64,
    },
    /// A deposit that was paid back.
    Deposit {
        /// Its position.
        #[serde(with = "integer")]
        position: u64,
    },
    /// A vault that has escaped, or a position that was repaid.
    Record {
        /// Where it lies.
        index: Index,
    },
}

/// How an owner leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// The calls, in the order in which they are sent.
    pub calls: Vec<Call>,
    /// What has left, by the logs.
    pub gone: Vec<Gone>,
    /// What stays.
    pub stuck: Vec<Stuck>,
}

/// What is known of a contract.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The last settled state.
    pub state: &'a State,
    /// All settled batches, from the first on; they lead to the state.
    pub batches: &'a [Published],
    /// What else it has said.
    pub events: &'a Events,
    /// The chain over all items of its queue.
    pub queue_commitment: U256,
    /// The id of the chain that it is on.
    pub base_chain: u32,
}

/// Why no calls can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LeavingError {
    /// A key that is none.
    #[error(transparent)]
    Escape(#[from] EscapeError),
    /// A queue with a gap.
    #[error("found no item {missing} of the queue, but later ones: some of the logs are missing")]
    Queue {
        /// The item's position.
        missing: u64,
    },
    /// Items that are not those of the contract.
    #[error(
        "found {count} items that wait, with the chain {found}, expected {expected}: some of the logs \
         are missing"
    )]
    QueueChain {
        /// How many wait, by the logs.
        count: usize,
        /// The chain with them.
        found: U256,
        /// The contract's.
        expected: U256,
    },
}

/// Returns the calls for what an owner has, in the order in which they are sent; none if there is
/// nothing. The owner is who has this key and the exit address `to`, where all of it goes, but for the
/// collateral that `repay` gives its sender after 30 days.
///
/// Only claims are paid while the contract is not frozen. Of shares of a market some of the part may
/// come back later, when debts are repaid: `redeem` and `payDue` are sent again then.
///
/// # Errors
/// A number of the key that is no element, or logs with gaps.
pub fn exit(known: &Known<'_>, key: [u64; 5], to: Address) -> Result<Exit, LeavingError> {
    let owner = owner(known.state.chain_id(), key, to)?;
    let mut exit = Exit::default();
    waiting::claims(known, to, &mut exit);
    waiting::reclaims(known, &owner, key, to, &mut exit)?;
    records::leave(known, owner, key, to, &mut exit)?;
    Ok(exit)
}

impl Known<'_> {
    const fn place(&self) -> Place {
        Place {
            ledger: self.state.chain_id(),
            base_chain: self.base_chain,
        }
    }
}

impl Step {
    /// Returns the name of the contract's function, and what it is about: the number of a withdrawal, the
    /// position of an item, the index of a record, or an asset.
    #[must_use]
    pub const fn name(&self) -> (&'static str, u64) {
        match *self {
            Self::Claim { number, .. } => ("claim", number),
            Self::Reclaim { position, .. } => ("reclaim", position),
            Self::ShowLink { count } => ("showLink", count),
            Self::Escape { index, .. } => ("escape", index as u64),
            Self::Open { index } => ("open", index as u64),
            Self::Repay { index, .. } => ("repay", index as u64),
            Self::RefundPayout { index, .. } => ("refundPayout", index as u64),
            Self::Redeem { asset } => ("redeem", asset),
            Self::PayDue { asset } => ("payDue", asset),
        }
    }
}

impl Call {
    fn new(step: Step, call: &impl SolCall) -> Self {
        let data = call.abi_encode().into();
        Self { step, data }
    }
}
