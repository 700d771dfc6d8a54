//! All that leaving a contract takes from the chain: its code, where it stands, and what it has said.

use alloy::eips::BlockId;
use alloy::providers::{Provider as _, RootProvider};
use alloy::transports::{TransportErrorKind, TransportResult};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent as _;
use shardfold_settlement::deployed::{Code, Codes};
use shardfold_settlement::interface::IRollup::{
    AssetRegistered, Deposited, ExitRequested, Settled, assetCountCall, hashesCall, headDigestCall,
    queueCall, queueCommitmentCall, settledBatchesCall, verifierCall,
};
use shardfold_settlement::verifier::IVerifier::{firstCall, secondCall};

use crate::contract::ask;
use crate::endpoints::{EndpointError, Endpoints};
use crate::logs::{self, Log};

/// A contract at one block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The block's number.
    pub block: u64,
    /// Its code and that of what it calls, and where it stands.
    pub codes: Codes,
    /// Its events up to the block, in the order of the chain.
    pub logs: Vec<Log>,
}

/// What has a first one of which there is an event, since there are some.
struct Counts {
    items: bool,
    batches: bool,
    assets: bool,
}

/// Reads a contract at the newest block.
///
/// # Errors
/// No node that answers, or none that has the contract and all of its events.
pub async fn read(endpoints: &Endpoints, contract: Address) -> Result<Snapshot, EndpointError> {
    let read = async |provider: &RootProvider| standing(provider, contract).await;
    let (block, codes, mut wanted) = endpoints.read("the contract's code", read).await?;
    let is_enough = |logs: &[Log]| {
        for log in logs {
            wanted.see(log.topics());
        }
        wanted.is_seen()
    };
    let logs = logs::back(endpoints, contract, &[], block, is_enough).await?;
    Ok(Snapshot { block, codes, logs })
}

impl Counts {
    /// Looks whether an event is of a first one.
    fn see(&mut self, topics: &[B256]) {
        let [kind, first, ..] = topics else {
            return;
        };
        if !first.is_zero() {
            return;
        }
        match *kind {
            Deposited::SIGNATURE_HASH | ExitRequested::SIGNATURE_HASH => self.items = false,
            Settled::SIGNATURE_HASH => self.batches = false,
            AssetRegistered::SIGNATURE_HASH => self.assets = false,
            _ => {}
        }
    }

    const fn is_seen(&self) -> bool {
        !self.items && !self.batches && !self.assets
    }
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
        items: !queue.count.is_zero(),
        batches: ask(provider, contract, &settledBatchesCall {}, at).await? > 0,
        assets: ask(provider, contract, &assetCountCall {}, at).await? > 0,
    };
    Ok((block, codes, counts))
}
