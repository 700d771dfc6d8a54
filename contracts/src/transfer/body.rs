//! What a transfer says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// The signed content of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The vault that pays.
    pub from: Index,
    /// The vault that receives: one of `to_owner` and this asset, or an empty index; not the highest.
    pub to: Index,
    /// Who owns the receiving vault.
    pub to_owner: Digest,
    /// What moves.
    pub asset: Asset,
    /// How much moves, below 2^62.
    pub amount: u64,
    /// The operator's fee, paid by the sender on top of the amount.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("from", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("asset", FieldForm::Number),
    Field::new("amount", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
    Field::new("to_owner", FieldForm::Digest),
];

impl Body for Transfer {
    const KIND: Kind = Kind::new("transfer");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.from),
            F::from_u32(self.to),
            word(self.asset),
            word(self.amount),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&start[..], &self.to_owner].concat()
    }
}
