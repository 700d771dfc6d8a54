//! What taking out of a pool says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// Takes the part of a pool that an exact number of shares is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveLiquidity {
    /// Where the pool lies.
    pub pool: Index,
    /// The vault that gets of asset a, pays the fee and signs.
    pub to_a: Index,
    /// The vault that gets of asset b: one of the same owner, or an empty index.
    pub to_b: Index,
    /// The vault whose shares are given back; of the same owner.
    pub from: Index,
    /// How many shares are given back, below 2^62.
    pub shares: u64,
    /// The least that must come of asset a.
    pub min_a: u64,
    /// The least that must come of asset b.
    pub min_b: u64,
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
    Field::new("to_a", FieldForm::Small),
    Field::new("to_b", FieldForm::Small),
    Field::new("from", FieldForm::Small),
    Field::new("shares", FieldForm::Number),
    Field::new("min_a", FieldForm::Number),
    Field::new("min_b", FieldForm::Number),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for RemoveLiquidity {
    const KIND: Kind = Kind::new("remove_liquidity");

    fn words(&self) -> Vec<F> {
        let places = [self.pool, self.to_a, self.to_b, self.from].map(F::from_u32);
        let rest = [
            word(self.shares),
            word(self.min_a),
            word(self.min_b),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&places[..], &rest[..]].concat()
    }
}
