//! The transactions: what each says and how it is hashed. Their rules are in `executor`.

mod deposit;
mod json;
mod many;
mod transfer;
mod withdraw;

pub use deposit::Deposit;
pub use many::digests_of;
pub use transfer::Transfer;
pub use withdraw::Withdraw;

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::field::F;
use crate::hash::{Digest, ZERO_DIGEST, compress_block};
use crate::record::{Asset, Index};
use crate::signature::{PublicKey, Signature};

/// The number of a transaction's kind on the ledger bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// From one vault to another.
    Transfer = 1,
    /// From the base chain into a vault.
    Deposit = 2,
    /// From a vault to the base chain.
    Withdraw = 3,
}

impl Kind {
    /// Returns the kind's name in JSON files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Deposit => "deposit",
            Self::Withdraw => "withdraw",
        }
    }

    /// Returns how many permutations the proof of one such transaction takes, those for records and
    /// tree nodes apart: digests, owner, challenge and chains.
    #[must_use]
    pub const fn permutations(self) -> usize {
        match self {
            Self::Transfer => 3 + 2 + 3 + 1,
            Self::Deposit => 2 + 1 + 2,
            Self::Withdraw => 1 + 2 + 2 + 3 + 2,
        }
    }
}

/// A body with the key and the signature that authorise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is signed.
    pub body: T,
    /// The key that owns the spending vault.
    pub public_key: PublicKey,
    /// The address for which it owns the vault: the owner is the digest of both.
    pub exit_address: Address,
    /// Over the body's digest.
    pub signature: Signature,
}

impl<T> Signed<T> {
    const fn signed_by(&self) -> (&PublicKey, &Address, &Signature) {
        (&self.public_key, &self.exit_address, &self.signature)
    }
}

/// One transaction of a batch: in JSON an object whose only member is named for the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Transaction {
    /// From one vault to another.
    Transfer(Signed<Transfer>),
    /// From the base chain into a vault.
    Deposit(Deposit),
    /// From a vault to the base chain.
    Withdraw(Signed<Withdraw>),
}

/// What the operator earns and where it goes. With no fee the vault is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeePayment {
    /// In the transaction's asset, below 2^48.
    #[serde(with = "crate::text::integer")]
    pub amount: u64,
    /// A vault of the same asset.
    pub vault: Index,
}

/// The hashes of a transaction, as the ledger takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Enters the commitment to all transactions; what a signature signs.
    pub transaction: Digest,
    /// Enters the chain of deposits or of withdrawals; zero for a transfer.
    pub payload: Digest,
}

impl Transaction {
    /// Returns which rule applies.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Transfer(_) => Kind::Transfer,
            Self::Deposit(_) => Kind::Deposit,
            Self::Withdraw(_) => Kind::Withdraw,
        }
    }

    /// Returns the transaction's hashes on the chain of this id.
    #[must_use]
    pub fn digests(&self, chain_id: F) -> Digests {
        self.digests_with(chain_id, compress_block)
    }

    /// [`Self::digests`] with the compression given by the caller, who may note its inputs.
    pub fn digests_with(
        &self,
        chain_id: F,
        mut compress_block: impl FnMut(&[F; 8]) -> Digest,
    ) -> Digests {
        match self {
            Self::Transfer(signed) => Digests {
                transaction: signed.body.digest_with(chain_id, compress_block),
                payload: ZERO_DIGEST,
            },
            Self::Deposit(deposit) => {
                let payload = deposit.payload_with(chain_id, &mut compress_block);
                let transaction = deposit.digest_with(&payload, compress_block);
                Digests {
                    transaction,
                    payload,
                }
            }
            Self::Withdraw(signed) => {
                let payload = signed.body.payload_with(chain_id, &mut compress_block);
                let transaction = signed.body.digest_with(&payload, compress_block);
                Digests {
                    transaction,
                    payload,
                }
            }
        }
    }

    /// Returns the key, its exit address and the signature that authorise it; `None` of a
    /// deposit, which is not signed.
    #[must_use]
    pub const fn signed_by(&self) -> Option<(&PublicKey, &Address, &Signature)> {
        match self {
            Self::Transfer(signed) => Some(signed.signed_by()),
            Self::Deposit(_) => None,
            Self::Withdraw(signed) => Some(signed.signed_by()),
        }
    }

    /// Returns the asset that moves.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        match self {
            Self::Transfer(signed) => signed.body.asset,
            Self::Deposit(deposit) => deposit.asset,
            Self::Withdraw(signed) => signed.body.asset,
        }
    }

    /// Returns how much moves, the fee apart.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        match self {
            Self::Transfer(signed) => signed.body.amount,
            Self::Deposit(deposit) => deposit.amount,
            Self::Withdraw(signed) => signed.body.amount,
        }
    }

    /// Returns the operator's fee.
    #[must_use]
    pub const fn fee(&self) -> FeePayment {
        match self {
            Self::Transfer(signed) => signed.body.fee,
            Self::Deposit(deposit) => deposit.fee,
            Self::Withdraw(signed) => signed.body.fee,
        }
    }

    /// Returns the vault that a fee is paid to; `None` without a fee.
    #[must_use]
    pub fn fee_vault(&self) -> Option<Index> {
        let fee = self.fee();
        (fee.amount != 0).then_some(fee.vault)
    }

    /// Returns the records that the rule reads and writes: that which pays, that which receives,
    /// and the fee vault.
    #[must_use]
    pub fn accessed(&self) -> [Option<Index>; 3] {
        let (from, to) = match self {
            Self::Transfer(signed) => (Some(signed.body.from), Some(signed.body.to)),
            Self::Deposit(deposit) => (None, Some(deposit.to)),
            Self::Withdraw(signed) => (Some(signed.body.from), None),
        };
        [from, to, self.fee_vault()]
    }
}

fn element(value: u64) -> F {
    F::from_u64(value)
}
