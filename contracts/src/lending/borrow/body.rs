//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::signing::{FEE, FEE_VAULT, NONCE, Signer, VALID_UNTIL, VAULT};

/// The signed content of a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borrow {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// The position of the signer.
    pub position: Index,
    /// The price that the terms name.
    pub price: Index,
    /// How much of the loan asset is borrowed, below 2^62.
    pub amount: u64,
    /// How many shares of the debt it may be at most.
    pub limit: u64,
    /// The vault that signs.
    pub signer: Signer,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("position", FieldForm::Small),
    Field::new("price", FieldForm::Small),
    Field::new("amount", FieldForm::Number),
    Field::new("limit", FieldForm::Number),
    VAULT,
    NONCE,
    VALID_UNTIL,
    FEE,
    FEE_VAULT,
];

impl Body for Borrow {
    const KIND: Kind = Kind::new("borrow");

    fn words(&self) -> Vec<F> {
        let first = [
            F::from_u32(self.market),
            F::from_u32(self.position),
            F::from_u32(self.price),
            word(self.amount),
            word(self.limit),
        ];
        self.signer.after(&first)
    }
}
