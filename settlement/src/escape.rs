//! What takes a vault out of a frozen contract: made of published data and the public key alone.

use alloy_primitives::Address;
use p3_field::PrimeCharacteristicRing as _;
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::{F, canonical};
use shardfold_protocol::hash::{Digest, Domain, hash};
use shardfold_protocol::head::OutOfBounds;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::record::Index;
use shardfold_protocol::text::digest::to_hex;
use thiserror::Error;

use crate::encoding::{head_bytes, record_words, word};
use crate::interface::IRollup::escapeCall;

/// Why a record cannot escape.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EscapeError {
    /// A head with a number that none has.
    #[error(transparent)]
    Head(#[from] OutOfBounds),
    /// A path that does not lead to the head's state root.
    #[error("the record at index {index} is not part of the head's state")]
    Path {
        /// Where the record lies.
        index: Index,
    },
    /// A record that is no vault.
    #[error("the record at index {index} is no vault")]
    NoVault {
        /// Where it lies.
        index: Index,
    },
    /// A number that is no element.
    #[error("element {position} of the public key is {found}, expected one below p")]
    Key {
        /// Which element.
        position: usize,
        /// The number found.
        found: u64,
    },
    /// A key or an address that is not the owner's.
    #[error(
        "key and address are those of the owner {}, expected {}",
        to_hex(found),
        to_hex(expected)
    )]
    Owner {
        /// The owner that they make.
        found: Digest,
        /// The owner of the vault.
        expected: Digest,
    },
}

/// Returns the call with which anybody takes a vault out to its owner's address.
///
/// # Errors
/// If the contract would refuse it at the head of the record's proof.
pub fn escape_call(
    inclusion: &Inclusion,
    key: [u64; 5],
    to: Address,
) -> Result<escapeCall, EscapeError> {
    let (head, proof) = (&inclusion.head, &inclusion.proof);
    let index = proof.index;
    head.check()?;
    if proof.root() != head.state_root {
        return Err(EscapeError::Path { index });
    }
    let vault = proof.record.vault().ok_or(EscapeError::NoVault { index })?;
    let (found, expected) = (owner(inclusion.chain_id, key, to)?, vault.owner);
    if found != expected {
        return Err(EscapeError::Owner { found, expected });
    }
    Ok(escapeCall {
        head: head_bytes(head).into(),
        index,
        record: record_words(&proof.record),
        siblings: proof.siblings.map(|sibling| word(&sibling)),
        key,
        to,
    })
}

/// Returns the owner that a public key's elements and an exit address make on a chain.
///
/// # Errors
/// If a number is no element.
pub fn owner(chain_id: u64, key: [u64; 5], to: Address) -> Result<Digest, EscapeError> {
    let mut message = vec![F::from_u64(chain_id)];
    for (position, found) in key.into_iter().enumerate() {
        message.push(canonical(found).ok_or(EscapeError::Key { position, found })?);
    }
    message.extend(ExitAddress(to.into_array()).elements());
    Ok(hash(Domain::Owner, &message))
}
