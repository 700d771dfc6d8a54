//! The transactions: what each says and how it is hashed. Their rules are in `executor`.

mod deposit;
mod json;
mod transfer;
mod withdraw;
mod words;

pub use deposit::Deposit;
pub use transfer::Transfer;
pub use withdraw::Withdraw;
pub use words::{MAX_WORDS, Words};

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::field::{F, MODULUS};
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

impl From<Signed<Transfer>> for Transaction {
    fn from(signed: Signed<Transfer>) -> Self {
        Self::Transfer(signed)
    }
}

impl From<Signed<Withdraw>> for Transaction {
    fn from(signed: Signed<Withdraw>) -> Self {
        Self::Withdraw(signed)
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

    /// Returns the number of its contract in the list of contracts.
    #[must_use]
    pub const fn contract(&self) -> usize {
        match self {
            Self::Transfer(_) => 0,
            Self::Deposit(_) => 1,
            Self::Withdraw(_) => 2,
        }
    }

    /// Returns the body as its contract reads it.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Transfer(signed) => signed.body.words(),
            Self::Deposit(deposit) => deposit.words(),
            Self::Withdraw(signed) => signed.body.words(),
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

/// An integer as an element: one that is no canonical element stands for the highest, which no
/// rule accepts where integers are counted.
fn element(value: u64) -> F {
    F::from_u64(value.min(MODULUS - 1))
}
