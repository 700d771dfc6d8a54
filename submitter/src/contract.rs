//! What the contract says of itself.

use alloy::eips::BlockId;
use alloy::network::TransactionBuilder as _;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::TransactionRequest;
use alloy::transports::{TransportErrorKind, TransportResult};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use shardfold_settlement::interface::IRollup::{
    checkpointsCall, frozenAtCall, headDigestCall, ledgerChainIdCall, operatorCall,
    operatorSettledAtCall, queueCall, queueCommitmentCall, queueReturn, settledBatchesCall,
    verifierCall,
};
use shardfold_settlement::verifier::IVerifier::dataHashCall;

use crate::endpoints::{AllSaid, EndpointError, Endpoints};

/// The contract at one block.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The block's number.
    pub block: u64,
    /// Its time, in seconds.
    pub time: u64,
    /// Whether its rules are those of Amsterdam: its header has a list of what was accessed.
    pub is_amsterdam: bool,
    /// What the contract stores of the last settled head.
    pub head: B256,
    /// How many batches are settled.
    pub batches: u64,
    /// Who may settle at any time.
    pub operator: Address,
    /// When the operator has settled last, in seconds.
    pub operator_settled_at: u64,
    /// When the contract was frozen, in seconds; 0 if it was not.
    pub frozen_at: u64,
    /// The ledger's chain id.
    pub ledger: u64,
    /// The queue's numbers.
    pub queue: queueReturn,
    /// The chain over all its items.
    pub queue_commitment: U256,
    /// The verifier.
    pub verifier: Address,
}

/// Asks a contract.
///
/// # Errors
/// A node that does not answer, or a contract that answers something else.
pub async fn ask<C: SolCall>(
    provider: &RootProvider,
    to: Address,
    call: &C,
    block: BlockId,
) -> TransportResult<C::Return> {
    let request = TransactionRequest::default()
        .with_to(to)
        .with_input(call.abi_encode());
    let answer = provider.call(request).block(block).await?;
    C::abi_decode_returns(&answer).map_err(TransportErrorKind::custom)
}

impl Standing {
    /// Reads the contract, all of it from one node: at its newest block, or at so many before.
    ///
    /// # Errors
    /// No node that answers, or none that has the contract.
    pub async fn read(
        endpoints: &Endpoints,
        contract: Address,
        depth: u64,
    ) -> Result<Self, EndpointError> {
        let standing = async |provider: &RootProvider| standing(provider, contract, depth).await;
        endpoints.read("the contract's state", standing).await
    }
}

async fn standing(
    provider: &RootProvider,
    contract: Address,
    depth: u64,
) -> TransportResult<Standing> {
    let newest = provider.get_block_number().await?;
    let block = newest.saturating_sub(depth);
    let header = provider.get_block_by_number(block.into()).await?;
    let header = header
        .ok_or_else(|| missing(&format!("block {block}")))?
        .header;
    let at = BlockId::number(block);
    if provider
        .get_code_at(contract)
        .block_id(at)
        .await?
        .is_empty()
    {
        return Err(missing(&format!("contract at {contract} in block {block}")));
    }
    Ok(Standing {
        block,
        time: header.timestamp,
        is_amsterdam: header.block_access_list_hash.is_some(),
        head: ask(provider, contract, &headDigestCall {}, at).await?,
        batches: ask(provider, contract, &settledBatchesCall {}, at).await?,
        operator: ask(provider, contract, &operatorCall {}, at).await?,
        operator_settled_at: ask(provider, contract, &operatorSettledAtCall {}, at).await?,
        frozen_at: ask(provider, contract, &frozenAtCall {}, at).await?,
        ledger: ask(provider, contract, &ledgerChainIdCall {}, at).await?,
        queue: ask(provider, contract, &queueCall {}, at).await?,
        queue_commitment: ask(provider, contract, &queueCommitmentCall {}, at).await?,
        verifier: ask(provider, contract, &verifierCall {}, at).await?,
    })
}

fn missing(what: &str) -> alloy::transports::TransportError {
    TransportErrorKind::custom_str(&format!("found no {what}"))
}

/// Reads a place for checkpoints.
///
/// # Errors
/// No node that answers.
pub async fn checkpoint(
    endpoints: &Endpoints,
    contract: Address,
    place: u64,
) -> Result<U256, EndpointError> {
    let place = U256::from(place);
    let read = async |provider: &RootProvider| {
        ask(
            provider,
            contract,
            &checkpointsCall { place },
            BlockId::latest(),
        )
        .await
    };
    endpoints.read("a checkpoint of the queue", read).await
}

/// Reads the hash of the data that make a verifier that of one circuit.
///
/// # Errors
/// No node that answers, or a verifier that is not ours.
pub async fn data_hash(endpoints: &Endpoints, verifier: Address) -> Result<B256, EndpointError> {
    let read = async |provider: &RootProvider| {
        ask(provider, verifier, &dataHashCall {}, BlockId::latest()).await
    };
    endpoints.read("the verifier's dataHash()", read).await
}

/// Makes sure that all nodes that answer see the contract at the same head.
///
/// # Errors
/// If they do not, or if none answers.
pub async fn check_heads(endpoints: &Endpoints, contract: Address) -> Result<(), EndpointError> {
    let read = async |provider: &RootProvider| {
        ask(provider, contract, &headDigestCall {}, BlockId::latest()).await
    };
    let found = endpoints.each("the contract's head", read).await?;
    if found.iter().all(|(_, head)| *head == found[0].1) {
        return Ok(());
    }
    let said = found
        .iter()
        .map(|(endpoint, head)| endpoint.said(head.to_string()));
    Err(EndpointError::Heads(AllSaid(said.collect())))
}
