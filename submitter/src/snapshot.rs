//! All that leaving a contract takes from the chain: its code, where it stands, and what it has said.

use alloy::eips::BlockId;
use alloy::providers::{Provider as _, RootProvider};
use alloy::transports::{TransportErrorKind, TransportResult};
use alloy_primitives::{Address, U64, U256};
use alloy_sol_types::SolEvent as _;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_settlement::deployed::{Code, CodeError, Codes, Snapshot, check_head};
use shardfold_settlement::encoding::word;
use shardfold_settlement::events::{EventError, Events, Log};
use shardfold_settlement::interface::IRollup::{
    AssetRegistered, Deposited, ExitRequested, Settled, assetCountCall, hashesCall, headDigestCall,
    ledgerChainIdCall, queueCall, queueCommitmentCall, settledBatchesCall, verifierCall,
};
use shardfold_settlement::published::{PublishedError, settled};
use shardfold_settlement::queue::{Place, Queued, chain};
use shardfold_settlement::verifier::IVerifier::{firstCall, secondCall};
use thiserror::Error;

use crate::contract::ask;
use crate::endpoints::{EndpointError, Endpoints};
use crate::logs;

/// Blocks that the chain may still leave: their events are asked for again.
const UNSURE: u64 = 128;

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// No node that answers, or none that has the contract.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A chain whose id is no base chain's.
    #[error("the endpoints are of the chain {0}, expected one below 2^32")]
    BaseChain(u64),
    /// An earlier snapshot of something else.
    #[error("found a snapshot of the contract {found}, expected one of {expected}")]
    Contract {
        /// The contract of the earlier snapshot.
        found: Address,
        /// The one that is asked for.
        expected: Address,
    },
    /// A node that is not as far as the earlier snapshot.
    #[error("the node is at block {found}, and the snapshot at {expected} already")]
    Behind {
        /// The node's newest block.
        found: u64,
        /// That of the earlier snapshot.
        expected: u64,
    },
    /// Events that are not all there.
    #[error(
        "found events of {found} {what} from the first on, expected {expected}: ask a node that keeps all \
         events"
    )]
    Missing {
        /// Of what.
        what: &'static str,
        /// How many there are without a gap.
        found: u64,
        /// How many the contract has.
        expected: u64,
    },
    /// Items that are not those of the contract.
    #[error("found the chain {found} over the items of the queue, expected {expected}")]
    Queue {
        /// The chain over the items found.
        found: U256,
        /// The contract's.
        expected: U256,
    },
    /// Batches that do not lead to the contract's head.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// Batches that are none.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Events that are none.
    #[error(transparent)]
    Events(#[from] EventError),
}

/// Reads a contract at the newest block, with all of its events, which are held against what it says of
/// itself. Those of an earlier snapshot are asked for again only as far as the chain may have left them.
///
/// # Errors
/// No node that has the contract and its events, or an earlier snapshot of another contract, or of a later
/// block.
pub async fn read(
    endpoints: &Endpoints,
    contract: Address,
    earlier: Option<Snapshot>,
) -> Result<Snapshot, SnapshotError> {
    let chain_id = endpoints.chain_id();
    let base_chain = u32::try_from(chain_id).map_err(|_| SnapshotError::BaseChain(chain_id))?;
    let read = async |provider: &RootProvider| standing(provider, contract).await;
    let (block, code, counts) = endpoints.read("the contract's code", read).await?;
    let (mut logs, oldest) = match earlier {
        Some(earlier) => known(earlier, contract, block)?,
        None => (vec![], 0),
    };
    let mut firsts = counts.firsts();
    let is_enough = |logs: &[logs::Log]| firsts.are_seen_in(logs);
    let newer = logs::back(endpoints, contract, &[], oldest..=block, is_enough);
    logs.extend(newer.await?.into_iter().map(|log| Log {
        address: log.inner.address,
        topics: log.inner.data.topics().to_vec(),
        data: log.inner.data.data.clone(),
        block_number: log.block_number.map(U64::from),
        block_timestamp: log.block_timestamp.map(U64::from),
        removed: log.removed,
    }));
    logs.retain(|log| log.is_of(contract));
    let snapshot = Snapshot { block, code, logs };
    counts.check(&snapshot, base_chain)?;
    Ok(snapshot)
}

/// The events of an earlier snapshot that the chain will keep, and the block from which on it may not.
fn known(
    earlier: Snapshot,
    contract: Address,
    newest: u64,
) -> Result<(Vec<Log>, u64), SnapshotError> {
    let found = earlier.code.rollup.address;
    if found != contract {
        let expected = contract;
        return Err(SnapshotError::Contract { found, expected });
    }
    let expected = earlier.block;
    if newest < expected {
        let found = newest;
        return Err(SnapshotError::Behind { found, expected });
    }
    let mut logs = earlier.logs;
    // Logs without their blocks, which people may have written, are asked for again.
    let is_sure = logs.iter().all(|log| log.block_number.is_some());
    let oldest = match is_sure {
        true => earlier.block.saturating_sub(UNSURE),
        false => 0,
    };
    let first = U64::from(oldest);
    logs.retain(|log| log.block_number.is_some_and(|block| block < first));
    Ok((logs, oldest))
}

/// How much a contract has said, by its own numbers.
#[derive(Clone, Copy, Debug)]
struct Counts {
    items: u64,
    batches: u64,
    assets: u64,
    ledger: u64,
}

impl Counts {
    const fn firsts(&self) -> Firsts {
        Firsts {
            item: self.items > 0,
            batch: self.batches > 0,
            asset: self.assets > 0,
        }
    }

    /// Makes sure that all of it is there.
    fn check(&self, snapshot: &Snapshot, base_chain: u32) -> Result<(), SnapshotError> {
        let Snapshot { code, logs, .. } = snapshot;
        let contract = code.rollup.address;
        let batches = settled(logs, contract)?;
        same("batches", batches.len(), self.batches)?;
        if let Some(last) = batches.last() {
            check_head(code, &last.head)?;
        }
        let events = Events::read(logs, contract)?;
        let ordered = (0..).zip(events.units.keys());
        let assets = ordered.take_while(|(number, asset)| number == *asset);
        same("assets", assets.count(), self.assets)?;
        let ordered = (0..).zip(&events.items);
        let items = ordered.take_while(|(number, (position, _))| number == *position);
        let items: Vec<Queued> = items.map(|(_, (_, item))| *item).collect();
        same("items of the queue", items.len(), self.items)?;
        let place = Place {
            ledger: self.ledger,
            base_chain,
        };
        let found = word(&chain(ZERO_DIGEST, &items, place));
        let expected = code.queue_commitment;
        if found != expected {
            return Err(SnapshotError::Queue { found, expected });
        }
        Ok(())
    }
}

/// The first events of each kind that are still to be seen: nothing that matters is older than they are.
struct Firsts {
    item: bool,
    batch: bool,
    asset: bool,
}

impl Firsts {
    fn are_seen_in(&mut self, logs: &[logs::Log]) -> bool {
        for log in logs {
            let [kind, first, ..] = log.topics() else {
                continue;
            };
            if !first.is_zero() {
                continue;
            }
            match *kind {
                Deposited::SIGNATURE_HASH | ExitRequested::SIGNATURE_HASH => self.item = false,
                Settled::SIGNATURE_HASH => self.batch = false,
                AssetRegistered::SIGNATURE_HASH => self.asset = false,
                _ => {}
            }
        }
        !self.item && !self.batch && !self.asset
    }
}

fn same(what: &'static str, found: usize, expected: u64) -> Result<(), SnapshotError> {
    let found = found as u64;
    if found != expected {
        return Err(SnapshotError::Missing {
            what,
            found,
            expected,
        });
    }
    Ok(())
}

/// What one node says of the contract.
async fn standing(
    provider: &RootProvider,
    contract: Address,
) -> TransportResult<(u64, Codes, Counts)> {
    let block = provider.get_block_number().await?;
    let at = BlockId::number(block);
    let code = async |address: Address| {
        let code = provider.get_code_at(address).block_id(at).await?;
        if code.is_empty() {
            let text = format!("found no contract at {address} in block {block}");
            return Err(TransportErrorKind::custom_str(&text));
        }
        Ok(Code { address, code })
    };
    let rollup = code(contract).await?;
    let hashes = ask(provider, contract, &hashesCall {}, at).await?;
    let verifier = ask(provider, contract, &verifierCall {}, at).await?;
    let first = ask(provider, verifier, &firstCall {}, at).await?;
    let second = ask(provider, verifier, &secondCall {}, at).await?;
    let codes = Codes {
        rollup,
        hashes: code(hashes).await?,
        verifier: code(verifier).await?,
        first: code(first).await?,
        second: code(second).await?,
        head_digest: ask(provider, contract, &headDigestCall {}, at).await?,
        queue_commitment: ask(provider, contract, &queueCommitmentCall {}, at).await?,
    };
    let queue = ask(provider, contract, &queueCall {}, at).await?;
    let counts = Counts {
        items: queue.count.to(),
        batches: ask(provider, contract, &settledBatchesCall {}, at).await?,
        assets: ask(provider, contract, &assetCountCall {}, at)
            .await?
            .into(),
        ledger: ask(provider, contract, &ledgerChainIdCall {}, at).await?,
    };
    Ok((block, codes, counts))
}
