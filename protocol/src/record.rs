//! Records: what a leaf of the state tree holds.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::field::F;
use crate::hash::{Digest, compress_block};
use crate::text::element::Element;

/// An asset: below 2^32 as the base chain's registry numbers it, from 2^32 on the shares of the pool
/// or market whose record lies at the index asset - 2^32.
pub type Asset = u64;
/// The shares of the record at index i are the asset `SHARES + i`.
pub const SHARES: Asset = 1 << 32;
/// Where a record lies in the state tree.
pub type Index = u32;

/// The kind of an empty leaf.
pub const KIND_EMPTY: u64 = 0;
/// The kind of a vault.
pub const KIND_VAULT: u64 = 1;
/// The kind of a pool: `[2, asset a, asset b, reserve a, reserve b, shares, fee, mode]`.
pub const KIND_POOL: u64 = 2;
/// The kind of a market: `[3, supplied assets, supplied shares, borrowed assets, borrowed shares,
/// time, loan asset, fee shares]`.
pub const KIND_MARKET: u64 = 3;
/// The kind of a market's terms, at the index after the market's: `[4, collateral asset, price
/// index, loan to value, bonus, scale, rates, fee vault]`.
pub const KIND_TERMS: u64 = 4;
/// The kind of a position: `[5, market, collateral, debt shares, owner 0..4]`.
pub const KIND_POSITION: u64 = 5;
/// The kind of a price: `[6, price, time, 0, feeder 0..4]`.
pub const KIND_PRICE: u64 = 6;
/// The kind of a payout: `[7, asset, remaining, refund vault, list 0..4]`.
pub const KIND_PAYOUT: u64 = 7;

/// Elements of a record.
pub const RECORD_ELEMENTS: usize = 8;

/// One leaf: eight field elements, `[kind, asset, balance, nonce, owner 0..4]` for a vault
/// and eight zeros where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record(
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")] pub [F; RECORD_ELEMENTS],
);

fn to_text<S: Serializer>(
    elements: &[F; RECORD_ELEMENTS],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    elements.map(Element).serialize(serializer)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[F; RECORD_ELEMENTS], D::Error> {
    let elements = <[Element; RECORD_ELEMENTS]>::deserialize(deserializer)?;
    Ok(elements.map(|Element(element)| element))
}

/// A balance of one asset that one key may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// Digest of the public key that may spend.
    #[serde(with = "crate::text::digest")]
    pub owner: Digest,
    /// What is held.
    pub asset: Asset,
    /// How much is held, below 2^62.
    #[serde(with = "crate::text::integer")]
    pub balance: u64,
    /// How many transactions the owner has signed for this vault.
    #[serde(with = "crate::text::integer")]
    pub nonce: u64,
}

impl Record {
    /// The record of an empty leaf.
    pub const EMPTY: Self = Self([F::ZERO; RECORD_ELEMENTS]);

    /// Returns the digest that stands for the record in the state tree.
    pub fn digest(&self) -> Digest {
        compress_block(&self.0)
    }

    /// Returns whether nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Returns whether a vault is here, of whatever asset.
    pub fn is_vault(&self) -> bool {
        self.0[0] == F::from_u64(KIND_VAULT)
    }

    /// Returns the vault here with so much more balance. The caller has checked that it is a vault
    /// and that the sum is below 2^62.
    pub fn credited(mut self, amount: u64) -> Self {
        self.0[2] += F::from_u64(amount);
        self
    }

    /// Returns the vault here, if it is one and well formed.
    #[must_use]
    pub fn vault(&self) -> Option<Vault> {
        let [kind, asset, balance, nonce, owner @ ..] = self.0;
        (kind.as_canonical_u64() == KIND_VAULT).then(|| Vault {
            owner,
            asset: asset.as_canonical_u64(),
            balance: balance.as_canonical_u64(),
            nonce: nonce.as_canonical_u64(),
        })
    }
}

impl From<Vault> for Record {
    fn from(vault: Vault) -> Self {
        let [a, b, c, d] = vault.owner;
        Self([
            F::from_u64(KIND_VAULT),
            F::from_u64(vault.asset),
            F::from_u64(vault.balance),
            F::from_u64(vault.nonce),
            a,
            b,
            c,
            d,
        ])
    }
}
