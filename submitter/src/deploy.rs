//! The contracts on a node of one's own.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolValue as _;
use shardfold_settlement::artefact::{Artefact, ArtefactError, HASHES, ROLLUP};
use shardfold_settlement::verifier::{self, DataError};
use thiserror::Error;

use crate::anvil::{Anvil, AnvilError};

/// What is deployed, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Who creates the contracts.
    pub deployer: Address,
    /// The ledger's chain id.
    pub ledger: u64,
    /// The state root with which it starts.
    pub root: U256,
    /// The least price of an item of the queue, in wei.
    pub price: U256,
    /// Who may settle at any time.
    pub operator: Address,
}

/// Why a contract is not deployed.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The node refuses.
    #[error(transparent)]
    Anvil(#[from] AnvilError),
    /// What is checked in is no artefact.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// Data that no verifier can have.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// A contract, and the gas that it took.
pub type Created = (Address, u64);

/// Creates a contract, with the arguments of its constructor behind its code.
///
/// # Errors
/// The node refuses, or the constructor does.
pub async fn create(
    anvil: &Anvil,
    from: Address,
    code: &[u8],
    arguments: &[u8],
) -> Result<Created, AnvilError> {
    let code = Bytes::from([code, arguments].concat());
    let mined = anvil.send(from, None, U256::ZERO, code).await?;
    let address = mined.created.ok_or(AnvilError::Failed(mined.hash))?;
    Ok((address, mined.gas))
}

/// Creates the verifier whose data these are.
///
/// # Errors
/// Data that no verifier can have, or a node that refuses.
pub async fn verifier(anvil: &Anvil, from: Address, data: &[u8]) -> Result<Created, DeployError> {
    let [first, second] = verifier::data_creations(data)?;
    let (first, first_gas) = create(anvil, from, &first, &[]).await?;
    let (second, second_gas) = create(anvil, from, &second, &[]).await?;
    let code = verifier::artefact()?.creation;
    let arguments = verifier::arguments(first, second);
    let (verifier, gas) = create(anvil, from, &code, &arguments).await?;
    Ok((verifier, gas + first_gas + second_gas))
}

/// Creates the contract that settles a ledger, with nobody as governor, and the one that hashes for it.
///
/// # Errors
/// A node that refuses.
pub async fn rollup(
    anvil: &Anvil,
    terms: &Terms,
    verifier: Address,
) -> Result<Created, DeployError> {
    let code = Artefact::parse(HASHES)?.creation;
    let (hashes, hashes_gas) = create(anvil, terms.deployer, &code, &[]).await?;
    let arguments = (
        terms.ledger,
        terms.root,
        terms.price,
        hashes,
        verifier,
        Address::ZERO,
        terms.operator,
    );
    let code = Artefact::parse(ROLLUP)?.creation;
    let arguments = arguments.abi_encode_params();
    let (rollup, gas) = create(anvil, terms.deployer, &code, &arguments).await?;
    Ok((rollup, gas + hashes_gas))
}
