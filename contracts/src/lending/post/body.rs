//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::signing::{FEE, FEE_VAULT, NONCE, Signer, VALID_UNTIL, VAULT};

/// The signed content of a posting of collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// A position of the signer in this market, or an empty place.
    pub position: Index,
    /// How much collateral is posted, below 2^62.
    pub amount: u64,
    /// The vault that signs.
    pub signer: Signer,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("position", FieldForm::Small),
    Field::new("amount", FieldForm::Number),
    VAULT,
    NONCE,
    VALID_UNTIL,
    FEE,
    FEE_VAULT,
];

impl Body for Post {
    const KIND: Kind = Kind::new("post");

    fn words(&self) -> Vec<F> {
        let first = [
            F::from_u32(self.market),
            F::from_u32(self.position),
            word(self.amount),
        ];
        self.signer.after(&first)
    }
}
