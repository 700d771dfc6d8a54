//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::signing::{FEE, FEE_VAULT, NONCE, Signer, VALID_UNTIL, VAULT};

/// The signed content of a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redeem {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// The signer's vault that the shares leave.
    pub share_vault: Index,
    /// How many shares are redeemed, below 2^62.
    pub shares: u64,
    /// How much of the loan asset it must be at least, below 2^62.
    pub limit: u64,
    /// The vault that signs.
    pub signer: Signer,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("share_vault", FieldForm::Small),
    Field::new("shares", FieldForm::Number),
    Field::new("limit", FieldForm::Number),
    VAULT,
    NONCE,
    VALID_UNTIL,
    FEE,
    FEE_VAULT,
];

impl Body for Redeem {
    const KIND: Kind = Kind::new("redeem");

    fn words(&self) -> Vec<F> {
        let first = [
            F::from_u32(self.market),
            F::from_u32(self.share_vault),
            word(self.shares),
            word(self.limit),
        ];
        self.signer.after(&first)
    }
}
