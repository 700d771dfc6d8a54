//! A withdrawal takes an amount out of a vault and owes it to an address on a base chain.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use super::{FeePayment, element};
use crate::address::Address;
use crate::field::F;
use crate::hash::{Digest, Domain, compress_block, hash_with};
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
    /// Returns the 7 elements of what is owed: their hash enters the chain of withdrawals.
    pub fn payload_message(&self, chain_id: F) -> [F; 7] {
        let [a0, a1, a2] = self.address.elements();
        [
            chain_id,
            F::from_u32(self.base_chain),
            a0,
            a1,
            a2,
            F::from_u32(self.asset),
            element(self.amount),
        ]
    }

    /// Returns the digest of what is owed.
    pub fn payload(&self, chain_id: F) -> Digest {
        self.payload_with(chain_id, compress_block)
    }

    /// [`Self::payload`] with the compression given by the caller.
    pub fn payload_with(
        &self,
        chain_id: F,
        compress_block: impl FnMut(&[F; 8]) -> Digest,
    ) -> Digest {
        hash_with(
            Domain::WithdrawPayload,
            &self.payload_message(chain_id),
            compress_block,
        )
    }

    /// Returns the 8 elements of the transaction: the payload, the vault, the fee and the nonce.
    pub fn message(&self, payload: &Digest) -> [F; 8] {
        let [p0, p1, p2, p3] = *payload;
        [
            p0,
            p1,
            p2,
            p3,
            F::from_u32(self.from),
            element(self.fee.amount),
            F::from_u32(self.fee.vault),
            element(self.nonce),
        ]
    }

    /// Returns what is signed.
    pub fn digest_with(
        &self,
        payload: &Digest,
        compress_block: impl FnMut(&[F; 8]) -> Digest,
    ) -> Digest {
        hash_with(Domain::Withdraw, &self.message(payload), compress_block)
    }
}
