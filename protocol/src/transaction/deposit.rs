//! A deposit credits what the base chain's queue says was paid in. The queue names owner,
//! asset, amount and fee; the operator picks the vault, so a deposit can be placed whatever the
//! state. `docs/statement.md` says what the queue must refuse to take in.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use super::{FeePayment, Words, element};
use crate::field::F;
use crate::hash::Digest;
use crate::record::{Asset, Index};

/// One entry of the base chain's queue and where the operator puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// The chain whose queue it comes from.
    pub base_chain: u32,
    /// The vault that receives: one of this owner and asset, or an empty index.
    pub to: Index,
    /// Who owns the receiving vault.
    #[serde(with = "crate::text::digest")]
    pub owner: Digest,
    /// What was paid in.
    pub asset: Asset,
    /// How much the vault receives, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub amount: u64,
    /// The operator's fee, paid in on top of the amount.
    pub fee: FeePayment,
    /// The position in the queue: how many deposits were taken before this one.
    #[serde(with = "crate::text::integer")]
    pub nonce: u64,
}

impl Deposit {
    /// Returns the body as the contract reads it.
    pub(super) fn words(&self) -> Words {
        let start = [
            F::from_u32(self.base_chain),
            F::from_u32(self.to),
            F::from_u32(self.asset),
            element(self.amount),
            element(self.fee.amount),
            F::from_u32(self.fee.vault),
            element(self.nonce),
        ];
        Words::new([&start[..], &self.owner])
    }
}
