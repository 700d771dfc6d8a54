//! Why the contract would refuse a batch: found out from what it says of itself, before anything is
//! sent. The contract checks all of it again.

use alloy_primitives::{Address, B256, U256};
use shardfold_protocol::head::Statement;
use shardfold_settlement::encoding::{head_digest, word};
use thiserror::Error;

use crate::contract::Standing;

/// How long the operator alone may settle after a settlement of its own, in seconds.
pub const WALKAWAY: u64 = 2 * 24 * 3_600;
/// How old a batch may be, in seconds.
pub const OLDEST: u64 = 24 * 3_600;
/// How far ahead of the chain's clock a batch may be, in seconds.
pub const AHEAD: u64 = 15 * 60;

/// Why a batch is not settled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A frozen contract.
    #[error(
        "the contract is frozen since {since} (seconds since 1970): nothing is settled any more"
    )]
    Frozen {
        /// Since when, in seconds.
        since: u64,
    },
    /// A proof of another ledger.
    #[error("found a proof of the ledger {found}, expected the contract's, {expected}")]
    Ledger {
        /// The ledger of the proof.
        found: u64,
        /// That of the contract.
        expected: u64,
    },
    /// A proof that starts elsewhere.
    #[error(
        "found a proof that starts at the head {found}, expected the one at which the contract stands \
         after {batches} batches, {expected}"
    )]
    Head {
        /// The digest of the head at which the proof starts.
        found: B256,
        /// The digest that the contract stores.
        expected: B256,
        /// How many batches are settled.
        batches: u64,
    },
    /// The verifier of another key.
    #[error(
        "found that the contract's verifier {verifier} has the data {found}, expected those of the \
         proof's key, {expected}"
    )]
    Verifier {
        /// The verifier.
        verifier: Address,
        /// What it says of its data.
        found: String,
        /// The hash of the data of the proof's key.
        expected: B256,
    },
    /// A settler who has to wait.
    #[error(
        "found the settler {found}, expected the operator {expected}; anybody may settle from {from} \
         (seconds since 1970), it is {now}"
    )]
    Operator {
        /// Who would settle.
        found: Address,
        /// Who may.
        expected: Address,
        /// From when anybody may, in seconds.
        from: u64,
        /// The time of the newest block, in seconds.
        now: u64,
    },
    /// A batch that is too old.
    #[error("found a batch of the time {found}, expected {least} or later: it has to be made anew")]
    TooOld {
        /// Its time, in seconds.
        found: u64,
        /// The earliest that the contract takes.
        least: u64,
    },
    /// A batch of a time that has not come.
    #[error("found a batch of the time {found}, expected {most} or earlier: wait, or make it anew")]
    TooFarAhead {
        /// Its time, in seconds.
        found: u64,
        /// The latest that the contract takes.
        most: u64,
    },
    /// Items that the queue does not have.
    #[error(
        "found a batch that takes {found} items of the queue, which has {expected}: items that it took \
         have left the chain, so it has to be made anew"
    )]
    QueueShort {
        /// How many the ledger has taken after the batch.
        found: u64,
        /// How many there are.
        expected: u64,
    },
    /// Other items than the queue has.
    #[error(
        "found a batch with other items than the queue's first {count} (chain {found}, expected \
         {expected}): some have left the chain, so it has to be made anew"
    )]
    QueueOther {
        /// How many items.
        count: u64,
        /// The batch's chain.
        found: U256,
        /// The queue's.
        expected: U256,
    },
    /// A batch that ends where no checkpoint is.
    #[error(
        "found a batch that takes {found} of {count} items of the queue, where no checkpoint is: it \
         has to take all of them, or as many as a checkpoint says"
    )]
    NoCheckpoint {
        /// How many the ledger has taken after the batch.
        found: u64,
        /// How many there are.
        count: u64,
    },
    /// A transaction that nodes do not pass on.
    #[error(
        "found a transaction of {found} bytes, expected at most {most}: settle a smaller batch"
    )]
    Size {
        /// Its bytes.
        found: usize,
        /// The most.
        most: usize,
    },
    /// More blobs than a transaction may have.
    #[error("found a batch in {found} blobs, expected at most {most}: settle a smaller batch")]
    Blobs {
        /// How many there are.
        found: usize,
        /// The most.
        most: usize,
    },
    /// A settler without money.
    #[error(
        "found that {who} has {found} wei, expected {expected}: gas, and blobs, at the highest fee"
    )]
    Balance {
        /// Who would settle.
        who: Address,
        /// What they have.
        found: U256,
        /// What the transaction may cost.
        expected: U256,
    },
    /// A fee that is too high.
    #[error(
        "found that a unit of gas may cost {found} wei, expected at most {most}: wait, or allow more"
    )]
    Fee {
        /// What it may cost.
        found: u128,
        /// The most that is allowed.
        most: u128,
    },
    /// A fee for blobs that is too high.
    #[error(
        "found that a unit of blob gas may cost {found} wei, expected at most {most}: wait, or allow \
         more"
    )]
    BlobFee {
        /// What it may cost.
        found: u128,
        /// The most that is allowed.
        most: u128,
    },
}

impl Refusal {
    /// Says whether the same batch may be settled later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Operator { .. }
                | Self::TooFarAhead { .. }
                | Self::Balance { .. }
                | Self::Fee { .. }
                | Self::BlobFee { .. }
        )
    }
}

/// What a batch of this statement meets at the contract, apart from the queue and the verifier.
///
/// # Errors
/// The first thing that the contract would refuse.
pub fn check(statement: &Statement, standing: &Standing, settler: Address) -> Result<(), Refusal> {
    if standing.frozen_at != 0 {
        let since = standing.frozen_at;
        return Err(Refusal::Frozen { since });
    }
    if statement.chain_id != standing.ledger {
        return Err(Refusal::Ledger {
            found: statement.chain_id,
            expected: standing.ledger,
        });
    }
    let found = head_digest(&statement.before);
    if found != standing.head {
        return Err(Refusal::Head {
            found,
            expected: standing.head,
            batches: standing.batches,
        });
    }
    let (from, now) = (
        standing.operator_settled_at.saturating_add(WALKAWAY),
        standing.time,
    );
    if settler != standing.operator && now < from {
        return Err(Refusal::Operator {
            found: settler,
            expected: standing.operator,
            from,
            now,
        });
    }
    let found = statement.after.time;
    if found + OLDEST < now {
        let least = now - OLDEST;
        return Err(Refusal::TooOld { found, least });
    }
    if found > now.saturating_add(AHEAD) {
        let most = now.saturating_add(AHEAD);
        return Err(Refusal::TooFarAhead { found, most });
    }
    Ok(())
}

/// Where a batch ends in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEnd {
    /// It takes no item, or all.
    Settled,
    /// It takes as many as a checkpoint has to say.
    Checkpoint,
}

/// What the items that a batch takes meet at the queue.
///
/// # Errors
/// Items that the queue does not have.
pub fn check_queue(statement: &Statement, standing: &Standing) -> Result<QueueEnd, Refusal> {
    let (before, after) = (&statement.before, &statement.after);
    let (found, count) = (after.queue_count, standing.queue.count.to::<u64>());
    if found == before.queue_count {
        return Ok(QueueEnd::Settled);
    }
    if found > count {
        let expected = count;
        return Err(Refusal::QueueShort { found, expected });
    }
    if found < count {
        return Ok(QueueEnd::Checkpoint);
    }
    let (found, expected) = (word(&after.queue_commitment), standing.queue_commitment);
    if found != expected {
        return Err(Refusal::QueueOther {
            count,
            found,
            expected,
        });
    }
    Ok(QueueEnd::Settled)
}
