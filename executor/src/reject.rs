//! Why a transaction is rejected, in the order in which the rules are checked.

use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::text::digest::to_hex;
use thiserror::Error;

/// The first rule that a transaction breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Reject {
    /// An amount out of bounds.
    #[error("found an amount of {found}, expected less than 2^62")]
    Amount {
        /// The amount found.
        found: u64,
    },
    /// A fee out of bounds.
    #[error("found a fee of {found}, expected less than 2^48")]
    Fee {
        /// The fee found.
        found: u64,
    },
    /// A transfer from a vault to itself.
    #[error("found {index} as sender and receiver, expected two vaults")]
    SelfTransfer {
        /// The index of the vault that is sender and receiver.
        index: Index,
    },
    /// A payment from where no vault is.
    #[error("found no vault at the sender's index {index}")]
    SenderMissing {
        /// The sender's index, at which there is no vault.
        index: Index,
    },
    /// A payment in another asset than the vault's.
    #[error("found asset {found} in the sender's vault, expected {expected}")]
    SenderAsset {
        /// The asset of the sender's vault.
        found: Asset,
        /// The asset of the transaction.
        expected: Asset,
    },
    /// A public key that does not own the vault.
    #[error(
        "found the key of owner {}, expected that of {}",
        to_hex(found),
        to_hex(expected)
    )]
    SenderOwner {
        /// The digest of the transaction's public key.
        found: Digest,
        /// The owner of the sender's vault.
        expected: Digest,
    },
    /// A transaction that was signed for another moment, or was there already.
    #[error("found nonce {found}, expected {expected}")]
    Nonce {
        /// The transaction's nonce.
        found: u64,
        /// The nonce of the sender's vault.
        expected: u64,
    },
    /// A signature that does not hold.
    #[error("found a signature that is not of this transaction under its public key")]
    Signature,
    /// A deposit that is not the next of the queue.
    #[error("found deposit {found} of the queue, expected {expected}")]
    DepositOrder {
        /// The deposit's position in the queue.
        found: u64,
        /// How many deposits were taken from the queue.
        expected: u64,
    },
    /// A payment of more than there is.
    #[error("found a balance of {found}, expected at least {expected} for amount and fee")]
    Balance {
        /// The balance of the sender's vault.
        found: u64,
        /// The sum of amount and fee.
        expected: u64,
    },
    /// Something else than a vault at the receiver's index.
    #[error("found a record that is no vault at the receiver's index {index}")]
    ReceiverKind {
        /// The receiver's index, at which the record is no vault.
        index: Index,
    },
    /// A receiver's vault of another owner.
    #[error(
        "found a receiver's vault of owner {}, expected {}",
        to_hex(found),
        to_hex(expected)
    )]
    ReceiverOwner {
        /// The owner of the receiver's vault.
        found: Digest,
        /// The owner that the transaction names.
        expected: Digest,
    },
    /// A receiver's vault of another asset.
    #[error("found asset {found} in the receiver's vault, expected {expected}")]
    ReceiverAsset {
        /// The asset of the receiver's vault.
        found: Asset,
        /// The asset of the transaction.
        expected: Asset,
    },
    /// A receiver who would hold too much.
    #[error("found that the receiver would hold {found}, expected less than 2^62")]
    ReceiverBalance {
        /// The balance of the receiver's vault after the transaction.
        found: u64,
    },
    /// A fee for a vault that does not exist.
    #[error("found no vault at the fee vault's index {index}")]
    FeeVaultMissing {
        /// The fee vault's index, at which there is no vault.
        index: Index,
    },
    /// A fee for a vault of another asset.
    #[error("found asset {found} in the fee vault, expected {expected}")]
    FeeVaultAsset {
        /// The asset of the fee vault.
        found: Asset,
        /// The asset of the transaction.
        expected: Asset,
    },
    /// A fee vault that would hold too much.
    #[error("found that the fee vault would hold {found}, expected less than 2^62")]
    FeeVaultBalance {
        /// The balance of the fee vault after the transaction.
        found: u64,
    },
}
