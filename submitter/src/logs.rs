//! The contract's events, from a node: page by page, from the newest back.

use std::ops::RangeInclusive;
use std::time::Duration;

use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::Filter;
pub use alloy::rpc::types::Log;
use alloy::transports::TransportErrorKind;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent as _;
use shardfold_settlement::events;
use shardfold_settlement::interface::IRollup::{Checkpoint, Settled};
use tokio::time::sleep;

use crate::endpoints::{EndpointError, Endpoints};

/// Blocks for which events are asked for at once, if the node gives so many.
const PAGE: u64 = 10_000;
/// Before a node that has refused is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads events of these kinds, or of all if none is named, from the newest of some blocks back until
/// `is_enough` says so of a page; returns them in the order of the chain.
///
/// # Errors
/// No node that answers.
pub async fn back(
    endpoints: &Endpoints,
    contract: Address,
    kinds: &[B256],
    blocks: RangeInclusive<u64>,
    mut is_enough: impl FnMut(&[Log]) -> bool,
) -> Result<Vec<Log>, EndpointError> {
    let mut filter = Filter::new().address(contract);
    if !kinds.is_empty() {
        filter = filter.event_signature(kinds.to_vec());
    }
    let (oldest, mut to) = blocks.into_inner();
    let (mut pages, mut page) = (vec![], PAGE);
    loop {
        let from = to.saturating_sub(page - 1).max(oldest);
        let filter = filter.clone().from_block(from).to_block(to);
        let read = async |provider: &RootProvider| provider.get_logs(&filter).await;
        match endpoints.read("the contract's events", read).await {
            Ok(logs) => {
                let is_all = is_enough(&logs);
                pages.push(logs);
                if is_all || from == oldest {
                    break;
                }
                to = from - 1;
                page = (2 * page).min(PAGE);
            }
            // Nodes limit the blocks, or the events, of an answer, and how often they are asked.
            Err(_) if page > 1 => {
                page /= 2;
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// Returns the hashes of the blobs that a settled batch is in, in their order; none of another event, or
/// if it is in calldata.
#[must_use]
pub fn blobs(log: &events::Log) -> Vec<B256> {
    let topics = log.topics.iter().copied();
    let event = Settled::decode_raw_log(topics, &log.data);
    event.map(|event| event.blobs).unwrap_or_default()
}

/// Returns the time of an event's block, in seconds.
///
/// # Errors
/// No node that answers.
pub async fn time(endpoints: &Endpoints, log: &events::Log) -> Result<u64, EndpointError> {
    if let Some(time) = log.block_timestamp {
        return Ok(time.to());
    }
    let number: u64 = log.block_number.unwrap_or_default().to();
    let read = async |provider: &RootProvider| {
        let block = provider.get_block_by_number(number.into()).await?;
        block.ok_or_else(|| TransportErrorKind::custom_str("it has no such block"))
    };
    let block = endpoints.read("the block of an event", read).await?;
    Ok(block.header.timestamp)
}

/// Finds the event with which the contract came to a head, if it ever did.
///
/// # Errors
/// No node that answers.
pub async fn settlement_to(
    endpoints: &Endpoints,
    contract: Address,
    head: &[u8],
) -> Result<Option<Log>, EndpointError> {
    let newest = newest(endpoints).await?;
    let leads_there = |log: &Log| {
        let event = Settled::decode_log_data(&log.inner.data);
        event.is_ok_and(|event| event.head.as_ref() == head)
    };
    let is_last = |log: &Log| leads_there(log) || log.topics().get(1) == Some(&B256::ZERO);
    let is_enough = |logs: &[Log]| logs.iter().any(is_last);
    let kinds = [Settled::SIGNATURE_HASH];
    let logs = back(endpoints, contract, &kinds, 0..=newest, is_enough).await?;
    Ok(logs.into_iter().find(leads_there))
}

/// Reads the checkpoints of more than `taken` items up to a block: the place of each, and how many
/// items it is of, in the order of the chain.
///
/// # Errors
/// No node that answers.
pub async fn checkpoints(
    endpoints: &Endpoints,
    contract: Address,
    newest: u64,
    taken: u64,
) -> Result<Vec<(u64, u64)>, EndpointError> {
    let read = |log: &Log| {
        let event = Checkpoint::decode_log_data(&log.inner.data).ok()?;
        let number = |number: U256| u64::try_from(number).ok();
        Some((number(event.place)?, number(event.count)?))
    };
    let is_last = |log: &Log| read(log).is_some_and(|(_, count)| count <= taken);
    let is_enough = |logs: &[Log]| logs.iter().any(is_last);
    let kinds = [Checkpoint::SIGNATURE_HASH];
    let logs = back(endpoints, contract, &kinds, 0..=newest, is_enough).await?;
    let found = logs.iter().filter_map(read);
    Ok(found.filter(|(_, count)| *count > taken).collect())
}

/// Returns the number of the newest block.
///
/// # Errors
/// No node that answers.
pub async fn newest(endpoints: &Endpoints) -> Result<u64, EndpointError> {
    let read = async |provider: &RootProvider| provider.get_block_number().await;
    endpoints.read("the newest block", read).await
}
