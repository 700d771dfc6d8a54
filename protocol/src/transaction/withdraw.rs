//! A withdrawal takes an amount out of a vault and owes it to an address on a base chain.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use super::{FeePayment, Words, element};
use crate::address::Address;
use crate::field::F;
use crate::record::{Asset, Index};

/// The signed content of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The vault that pays.
    pub from: Index,
    /// What leaves.
    pub asset: Asset,
    /// How much leaves, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub amount: u64,
    /// The operator's fee, paid on top of the amount.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    #[serde(with = "crate::text::integer")]
    pub nonce: u64,
    /// The chain on which the amount is owed.
    pub base_chain: u32,
    /// To whom it is owed.
    pub address: Address,
}

impl Withdraw {
    /// Returns the body as the contract reads it.
    pub(super) fn words(&self) -> Words {
        let start = [
            F::from_u32(self.from),
            F::from_u32(self.asset),
            element(self.amount),
            element(self.fee.amount),
            F::from_u32(self.fee.vault),
            element(self.nonce),
            F::from_u32(self.base_chain),
        ];
        Words::new([&start[..], &self.address.elements()])
    }
}
