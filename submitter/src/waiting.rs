//! What waits in the queue for a ledger, from the contract's events: deep enough that it stays, checked
//! against the contract's chain, and ending where a batch may end.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent as _;
use shardfold_protocol::head::Head;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{Deposited, ExitRequested};
use shardfold_settlement::queue::{ItemError, Place, Queued, chain, is_checkpoint};
use thiserror::Error;

use crate::contract::{Standing, checkpoint};
use crate::endpoints::{EndpointError, Endpoints};
use crate::logs;

/// So many items at most lie between two ends of a batch: the contract's `GROUP`, which fit one
/// settlement.
pub const GROUP: u64 = 128;
/// The least time between two checkpoints, in seconds: the contract's `INTERVAL`.
const INTERVAL: u64 = 300;

/// Items for the next batch.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The items, in order.
    pub items: Vec<Queued>,
    /// The base chain's id, as the items have it.
    pub base_chain: u32,
    /// The place of the checkpoint at which they end; none if they end with the newest item.
    pub checkpoint: Option<u64>,
    /// Whether a batch of them can be settled whatever arrives: else an item in the next minutes would
    /// leave their end without a checkpoint.
    pub is_firm: bool,
    /// How many items wait in all, also those that are not deep enough.
    pub in_all: u64,
    /// The time of the newest block, in seconds.
    pub now: u64,
}

/// Why there are no items.
#[derive(Debug, Error)]
pub enum WaitingError {
    /// Nodes that do not answer.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Events that no item has made.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// A base chain that no item can name.
    #[error("found a base chain of the id {0}, expected one below 2^32")]
    BaseChain(u64),
    /// Another ledger.
    #[error("found a state of the ledger {found}, expected the contract's, {expected}")]
    Ledger {
        /// The state's ledger.
        found: u64,
        /// That of the contract.
        expected: u64,
    },
    /// A ledger that has taken more than there is.
    #[error(
        "found a state that has taken {found} items of the queue, which has {expected} in block \
         {block}: some have left the chain, or are not deep enough yet"
    )]
    Ahead {
        /// How many the ledger has taken.
        found: u64,
        /// How many there are.
        expected: u64,
        /// In which block.
        block: u64,
    },
    /// Items that are missing among the events.
    #[error("found no event of item {0} of the queue: ask a node that keeps all events")]
    Missing(u64),
    /// Items that are not those of the contract.
    #[error(
        "found items with the chain {found}, expected the contract's over {count} items, {expected}: \
         the ledger has taken items that left the chain, or the node leaves some out"
    )]
    Chain {
        /// How many items.
        count: u64,
        /// The chain over the items found.
        found: U256,
        /// What the contract has.
        expected: String,
    },
    /// Items of which none is an end.
    #[error(
        "found {found} items that are deep enough, but a batch can end at none of them: wait until the \
         newest is, or ask the contract for a checkpoint"
    )]
    NoEnd {
        /// How many.
        found: u64,
    },
}

/// Reads the items that a ledger at `head` has not taken and that are so many blocks deep, `most` of
/// them: as many as one settlement has room for.
///
/// # Errors
/// Nodes that do not answer, events that are not those of the contract's items, or a ledger that is not
/// the contract's.
pub async fn read(
    endpoints: &Endpoints,
    contract: Address,
    ledger: u64,
    head: &Head,
    depth: u64,
    most: u64,
) -> Result<Waiting, WaitingError> {
    let chain_id = endpoints.chain_id();
    let base_chain = u32::try_from(chain_id).map_err(|_| WaitingError::BaseChain(chain_id))?;
    let now = Standing::read(endpoints, contract, 0).await?;
    let deep = Standing::read(endpoints, contract, depth).await?;
    let (found, expected) = (ledger, deep.ledger);
    if found != expected {
        return Err(WaitingError::Ledger { found, expected });
    }
    let (taken, count) = (head.queue_count, deep.queue.count.to::<u64>());
    if count < taken {
        return Err(WaitingError::Ahead {
            found: taken,
            expected: count,
            block: deep.block,
        });
    }
    let (end, place, is_firm) = match count == taken {
        true => (count, None, true),
        false => end(endpoints, contract, taken, &deep, &now, most).await?,
    };
    let items = items(endpoints, contract, taken, end, deep.block).await?;
    let place_of_items = Place { ledger, base_chain };
    let found = word(&chain(head.queue_commitment, &items, place_of_items));
    let expected = match place {
        None if found == deep.queue_commitment => None,
        None => Some(deep.queue_commitment.to_string()),
        Some(place) => {
            let stored = checkpoint(endpoints, contract, place).await?;
            (!is_checkpoint(stored, end, found)).then(|| format!("checkpoint {place}"))
        }
    };
    if let Some(expected) = expected {
        return Err(WaitingError::Chain {
            count: end,
            found,
            expected,
        });
    }
    Ok(Waiting {
        items,
        base_chain,
        checkpoint: place,
        is_firm,
        in_all: now.queue.count.to::<u64>().saturating_sub(taken),
        now: now.time,
    })
}

/// Where the batch ends: after how many items, at which checkpoint, and whether that stays an end.
async fn end(
    endpoints: &Endpoints,
    contract: Address,
    taken: u64,
    deep: &Standing,
    now: &Standing,
    most: u64,
) -> Result<(u64, Option<u64>, bool), WaitingError> {
    let count = deep.queue.count.to::<u64>();
    let newest = &now.queue;
    let is_newest = newest.count == deep.queue.count;
    // The next item makes a checkpoint of those before it if the last one is so old.
    let is_firm = newest.count == newest.atCheckpoint
        || now.time >= newest.checkpointAt.to::<u64>().saturating_add(INTERVAL);
    let is_few = count - taken <= most;
    if is_newest && is_firm && is_few {
        return Ok((count, None, true));
    }
    let all = logs::checkpoints(endpoints, contract, deep.block, taken).await?;
    let within = |(_, count): &&(u64, u64)| count.saturating_sub(taken) <= most;
    match all.iter().rfind(within) {
        Some(&(place, count)) => Ok((count, Some(place), true)),
        None if is_newest && is_few => Ok((count, None, false)),
        None => Err(WaitingError::NoEnd {
            found: count - taken,
        }),
    }
}

/// The items from the position `taken` up to `end`, from events up to a block.
async fn items(
    endpoints: &Endpoints,
    contract: Address,
    taken: u64,
    end: u64,
    block: u64,
) -> Result<Vec<Queued>, WaitingError> {
    if taken == end {
        return Ok(vec![]);
    }
    let first = U256::from(taken).into();
    let kinds = [Deposited::SIGNATURE_HASH, ExitRequested::SIGNATURE_HASH];
    let is_first = |log: &logs::Log| log.topics().get(1) == Some(&first);
    let is_enough = |logs: &[logs::Log]| logs.iter().any(is_first);
    let logs = logs::back(endpoints, contract, &kinds, 0..=block, is_enough).await?;
    let mut items = vec![];
    for log in &logs {
        items.extend(Queued::read(log.topics(), &log.inner.data.data)?);
    }
    items.retain(|item| (taken..end).contains(&item.position));
    items.sort_by_key(|item| item.position);
    for position in taken..end {
        let item = items.get((position - taken) as usize);
        if item.is_none_or(|item| item.position != position) {
            return Err(WaitingError::Missing(position));
        }
    }
    Ok(items)
}
