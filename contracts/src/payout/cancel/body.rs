//! What the end of a payout says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// Gives what a payout still holds back to the vault that paid it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelPayout {
    /// Where the payout lies.
    pub index: Index,
    /// The vault that has paid it, which signs.
    pub to: Index,
    /// The last second in which it may happen.
    pub valid_until: u64,
    /// The operator's fee, in the payout's asset.
    pub fee: FeePayment,
    /// The nonce of the vault that signs.
    pub nonce: u64,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("index", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for CancelPayout {
    const KIND: Kind = Kind::new("cancel_payout");

    fn words(&self) -> Vec<F> {
        vec![
            F::from_u32(self.index),
            F::from_u32(self.to),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ]
    }
}
