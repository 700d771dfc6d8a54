//! Whether what lies on a chain is what this build makes: code against artefacts and the verifier's
//! data, byte for byte.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use shardfold_protocol::head::Head;

use crate::artefact::{Artefact, ArtefactError, HASHES, ROLLUP};
use crate::encoding::head_digest;
use crate::events::Log;
use crate::verifier::{artefact, data_codes, data_hash};

/// A contract as a node shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Where it lies.
    pub address: Address,
    /// Its code: the answer to `eth_getCode`.
    pub code: Bytes,
}

/// All contracts that settle a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The contract that holds the money.
    pub rollup: Code,
    /// The contract that hashes as the ledger does.
    pub hashes: Code,
    /// The verifier of settlement proofs: what `verifier()` of the rollup answers.
    pub verifier: Code,
    /// The first half of the verifier's data: what `first()` of the verifier answers.
    pub first: Code,
    /// The second half: what `second()` answers.
    pub second: Code,
    /// Where the rollup stands: what `headDigest()` answers.
    pub head_digest: B256,
    /// The chain over all items of its queue: what `queueCommitment()` answers.
    pub queue_commitment: U256,
}

/// What nodes have said of a contract, all of it of one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The block's number.
    pub block: u64,
    /// Its code and that of what it calls, and where it stands.
    pub code: Codes,
    /// Its events up to the block.
    pub logs: Vec<Log>,
}

/// What a ledger is settled by.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The ledger's chain id.
    pub chain_id: u64,
    /// The state root that it started from, as the contract holds it.
    pub genesis_root: U256,
    /// The last head that was published.
    pub head: &'a Head,
}

/// What the rollup was created with besides, for people to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// Who may propose a verifier and name the operator; zero if nobody.
    pub governor: Address,
    /// The least price of an item, in wei.
    pub base_price: U256,
    /// The base chain's id.
    pub base_chain: U256,
}

/// Code that is not what this build makes.
#[derive(Debug, Error)]
pub enum CodeError {
    /// What is built in is no artefact.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// Code of another length.
    #[error("{contract}: found {found} bytes of code, expected {expected}")]
    Length {
        /// Which contract.
        contract: &'static str,
        /// Bytes on the chain.
        found: usize,
        /// Bytes of the artefact.
        expected: usize,
    },
    /// Code that differs where nothing may.
    #[error("{contract}: found another byte of code than expected at {place}")]
    Byte {
        /// Which contract.
        contract: &'static str,
        /// Where.
        place: usize,
    },
    /// A contract that stands elsewhere than the published batches lead to.
    #[error(
        "the batches lead to the head {found}, but the contract is at {expected}: logs and code are not \
         of one block, or some of the logs are missing"
    )]
    Head {
        /// The digest of the last head that was published.
        found: B256,
        /// The contract's.
        expected: B256,
    },
    /// A contract that was created with another value.
    #[error("{contract}: found {found} as its `{what}`, expected {expected}")]
    Value {
        /// Which contract.
        contract: &'static str,
        /// The variable.
        what: &'static str,
        /// Its value on the chain.
        found: B256,
        /// The one expected.
        expected: B256,
    },
}

/// Makes sure that a head is the one at which the contract stands.
///
/// # Errors
/// If it is another.
pub fn check_head(codes: &Codes, head: &Head) -> Result<(), CodeError> {
    let (found, expected) = (head_digest(head), codes.head_digest);
    if found != expected {
        return Err(CodeError::Head { found, expected });
    }
    Ok(())
}

/// Compares the contract that holds the money, and the one that hashes for it, with what this build
/// makes, and its head with the published one: all that the calls that lead out need.
///
/// The answers are those of a node: that the addresses are those of the contract in question, and that
/// nothing else was written into its storage when it was created, is not to be seen from them.
///
/// # Errors
/// The first difference.
pub fn check(codes: &Codes, expected: &Expected<'_>) -> Result<Terms, CodeError> {
    check_head(codes, expected.head)?;
    let rollup = Artefact::parse(ROLLUP)?;
    let known = [
        ("ledgerChainId", U256::from(expected.chain_id).into()),
        ("genesisRoot", expected.genesis_root.into()),
        ("hashes", codes.hashes.address.into_word()),
    ];
    compare("rollup", &rollup, &codes.rollup.code, &known)?;
    compare("hashes", &Artefact::parse(HASHES)?, &codes.hashes.code, &[])?;
    let value = |name| immutable(&rollup, &codes.rollup.code, name).unwrap_or_default();
    Ok(Terms {
        governor: Address::from_word(value("governor")),
        base_price: value("basePrice").into(),
        base_chain: value("baseChain").into(),
    })
}

/// Compares the verifier with what this build makes of a settlement key, whose `data` it holds.
///
/// # Errors
/// The first difference.
pub fn check_verifier(codes: &Codes, data: &[u8]) -> Result<(), CodeError> {
    let known = [
        ("first", codes.first.address.into_word()),
        ("second", codes.second.address.into_word()),
        ("dataHash", data_hash(data)),
    ];
    compare("verifier", &artefact()?, &codes.verifier.code, &known)?;
    let [first, second] = data_codes(data);
    same("first half", &first, &codes.first.code)?;
    same("second half", &second, &codes.second.code)
}

/// Compares a contract's code with its artefact, whose immutable values are these, or any that is the
/// same wherever the code has it.
fn compare(
    contract: &'static str,
    artefact: &Artefact,
    code: &[u8],
    known: &[(&'static str, B256)],
) -> Result<(), CodeError> {
    let mut expected = artefact.deployed.to_vec();
    for (name, places) in &artefact.immutables {
        let known = known.iter().find(|(known, _)| known == name);
        let Some(found) = immutable(artefact, code, name) else {
            continue;
        };
        let value = match known {
            Some(&(what, expected)) if found != expected => {
                return Err(CodeError::Value {
                    contract,
                    what,
                    found,
                    expected,
                });
            }
            _ => found,
        };
        for &place in places {
            if let Some(word) = expected.get_mut(place..place + 32) {
                word.copy_from_slice(value.as_slice());
            }
        }
    }
    same(contract, &expected, code)
}

/// The value of an immutable variable, as the code has it in the first place.
fn immutable(artefact: &Artefact, code: &[u8], name: &str) -> Option<B256> {
    let place = *artefact.immutables.get(name)?.first()?;
    code.get(place..place + 32).map(B256::from_slice)
}

fn same(contract: &'static str, expected: &[u8], code: &[u8]) -> Result<(), CodeError> {
    if code.len() != expected.len() {
        let (found, expected) = (code.len(), expected.len());
        return Err(CodeError::Length {
            contract,
            found,
            expected,
        });
    }
    let mut bytes = code.iter().zip(expected);
    match bytes.position(|(found, expected)| found != expected) {
        Some(place) => Err(CodeError::Byte { contract, place }),
        None => Ok(()),
    }
}
