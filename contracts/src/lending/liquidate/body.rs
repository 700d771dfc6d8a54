//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::signing::{FEE, FEE_VAULT, NONCE, Signer, VALID_UNTIL, VAULT};

/// The signed content of a liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidate {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// The position, of whoever.
    pub position: Index,
    /// The price that the terms name.
    pub price: Index,
    /// Where the signer gets the collateral: a vault of the signer's, or an empty place.
    pub to: Index,
    /// How much collateral is taken, below 2^62.
    pub seized: u64,
    /// How many shares of the debt are paid back.
    pub shares: u64,
    /// How much of the loan asset it may be at most.
    pub limit: u64,
    /// The vault that signs.
    pub signer: Signer,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("position", FieldForm::Small),
    Field::new("price", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("seized", FieldForm::Number),
    Field::new("shares", FieldForm::Number),
    Field::new("limit", FieldForm::Number),
    VAULT,
    NONCE,
    VALID_UNTIL,
    FEE,
    FEE_VAULT,
];

impl Body for Liquidate {
    const KIND: Kind = Kind::new("liquidate");

    fn words(&self) -> Vec<F> {
        let first = [
            F::from_u32(self.market),
            F::from_u32(self.position),
            F::from_u32(self.price),
            F::from_u32(self.to),
            word(self.seized),
            word(self.shares),
            word(self.limit),
        ];
        self.signer.after(&first)
    }
}
