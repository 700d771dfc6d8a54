//! A deposit credits what the base chain's queue says was paid in. The queue names owner,
//! asset, amount and fee; the operator picks the vault, so a deposit can be placed whatever the
//! state. `docs/statement.md` says what the queue must refuse to take in.

use p3_field::PrimeCharacteristicRing;
use serde::{Deserialize, Serialize};

use super::{FeePayment, element};
use crate::field::F;
use crate::hash::{Digest, Domain, compress_block, hash_with};
use crate::record::{Asset, Index};

/// One entry of the base chain's queue and where the operator puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
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
    /// Returns the 9 elements of the queue's entry: its hash enters the chain of deposits.
    pub fn payload_message(&self, chain_id: F) -> [F; 9] {
        let [o0, o1, o2, o3] = self.owner;
        [
            chain_id,
            element(self.nonce),
            F::from_u32(self.asset),
            element(self.amount),
            element(self.fee.amount),
            o0,
            o1,
            o2,
            o3,
        ]
    }

    /// Returns the digest of the queue's entry.
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
            Domain::DepositPayload,
            &self.payload_message(chain_id),
            compress_block,
        )
    }

    /// Returns the 6 elements of the transaction: the payload and where the operator put it.
    pub fn message(&self, payload: &Digest) -> [F; 6] {
        let [p0, p1, p2, p3] = *payload;
        let (to, fee_vault) = (F::from_u32(self.to), F::from_u32(self.fee.vault));
        [p0, p1, p2, p3, to, fee_vault]
    }

    /// Returns the digest of the transaction.
    pub fn digest_with(
        &self,
        payload: &Digest,
        compress_block: impl FnMut(&[F; 8]) -> Digest,
    ) -> Digest {
        hash_with(Domain::Deposit, &self.message(payload), compress_block)
    }
}
