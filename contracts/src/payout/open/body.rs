//! What the opening of a payout says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// Puts money aside for a list of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The vault that pays and signs, and gets what is left.
    pub from: Index,
    /// Where the payout is to lie: an empty index.
    pub index: Index,
    /// What is paid.
    pub asset: Asset,
    /// How much is put aside, below 2^62.
    pub total: u64,
    /// The digest of the list (`list_of`).
    pub list: Digest,
    /// The last second in which it may happen.
    pub valid_until: u64,
    /// The operator's fee, in the asset.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("from", FieldForm::Small),
    Field::new("index", FieldForm::Small),
    Field::new("asset", FieldForm::Number),
    Field::new("total", FieldForm::Number),
    Field::new("list", FieldForm::Digest),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for Payout {
    const KIND: Kind = Kind::new("payout");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.from),
            F::from_u32(self.index),
            word(self.asset),
            word(self.total),
        ];
        let end = [
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&start[..], &self.list, &end].concat()
    }
}
