//! What adding to a pool says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// Adds to a pool, for an exact number of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddLiquidity {
    /// Where the pool lies.
    pub pool: Index,
    /// The vault that pays of asset a, and the fee, and signs.
    pub from_a: Index,
    /// The vault that pays of asset b; of the same owner.
    pub from_b: Index,
    /// The vault that gets the shares: one of the same owner, or an empty index.
    pub to: Index,
    /// How many shares are made, below 2^62.
    pub shares: u64,
    /// The most that may be paid of asset a.
    pub max_a: u64,
    /// The most that may be paid of asset b.
    pub max_b: u64,
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
    Field::new("shares", FieldForm::Number),
    Field::new("max_a", FieldForm::Number),
    Field::new("max_b", FieldForm::Number),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for AddLiquidity {
    const KIND: Kind = Kind::new("add_liquidity");

    fn words(&self) -> Vec<F> {
        let places = [self.pool, self.from_a, self.from_b, self.to].map(F::from_u32);
        let rest = [
            word(self.shares),
            word(self.max_a),
            word(self.max_b),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&places[..], &rest[..]].concat()
    }
}
