//! What the opening of a pool says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// Opens a pool with its first reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatePool {
    /// Where the pool is to lie: an empty index.
    pub pool: Index,
    /// The vault that pays of asset a, and the fee, and signs.
    pub from_a: Index,
    /// The vault that pays of asset b; of the same owner.
    pub from_b: Index,
    /// The vault that gets the shares: one of the same owner, or an empty index.
    pub to: Index,
    /// One asset.
    pub asset_a: Asset,
    /// The other one.
    pub asset_b: Asset,
    /// How much of asset a is paid, below 2^62.
    pub amount_a: u64,
    /// How much of asset b is paid, below 2^62.
    pub amount_b: u64,
    /// What swaps will pay, in millionths, at most 100,000.
    pub swap_fee: u64,
    /// The last second in which it may happen.
    pub valid_until: u64,
    /// The operator's fee, in asset a.
    pub fee: FeePayment,
    /// The nonce of the vault that signs.
    pub nonce: u64,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("pool", FieldForm::Small),
    Field::new("from_a", FieldForm::Small),
    Field::new("from_b", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("asset_a", FieldForm::Number),
    Field::new("asset_b", FieldForm::Number),
    Field::new("amount_a", FieldForm::Number),
    Field::new("amount_b", FieldForm::Number),
    Field::new("swap_fee", FieldForm::Number),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for CreatePool {
    const KIND: Kind = Kind::new("create_pool");

    fn words(&self) -> Vec<F> {
        let places = [self.pool, self.from_a, self.from_b, self.to].map(F::from_u32);
        let rest = [
            word(self.asset_a),
            word(self.asset_b),
            word(self.amount_a),
            word(self.amount_b),
            word(self.swap_fee),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&places[..], &rest[..]].concat()
    }
}
