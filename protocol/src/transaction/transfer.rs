//! A transfer moves an amount from one vault to another, opening the second if it is empty.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use super::{FeePayment, Words, element};
use crate::field::F;
use crate::hash::Digest;
use crate::record::{Asset, Index};

/// The signed content of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The vault that pays.
    pub from: Index,
    /// The vault that receives: one of `to_owner` and this asset, or an empty index.
    pub to: Index,
    /// Who owns the receiving vault.
    #[serde(with = "crate::text::digest")]
    pub to_owner: Digest,
    /// What moves.
    pub asset: Asset,
    /// How much moves, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub amount: u64,
    /// The operator's fee, paid by the sender on top of the amount.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    #[serde(with = "crate::text::integer")]
    pub nonce: u64,
}

impl Transfer {
    /// Returns the body as the contract reads it.
    pub(super) fn words(&self) -> Words {
        let start = [
            F::from_u32(self.from),
            F::from_u32(self.to),
            F::from_u32(self.asset),
            element(self.amount),
            element(self.fee.amount),
            F::from_u32(self.fee.vault),
            element(self.nonce),
        ];
        Words::new([&start[..], &self.to_owner])
    }
}
