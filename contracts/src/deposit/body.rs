//! What a deposit says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// One entry of the base chain's queue and where the operator puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The chain whose queue it comes from.
    pub base_chain: u32,
    /// The vault that receives: one of this owner and asset, or an empty index.
    pub to: Index,
    /// Who owns the receiving vault.
    pub owner: Digest,
    /// What was paid in.
    pub asset: Asset,
    /// How much the vault receives, below 2^62.
    pub amount: u64,
    /// The operator's fee, paid in on top of the amount.
    pub fee: FeePayment,
    /// The position in the queue: how many items were taken before this one.
    pub position: u64,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("base_chain", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("asset", FieldForm::Number),
    Field::new("amount", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("position", FieldForm::Number),
    Field::new("owner", FieldForm::Digest),
];

impl Body for Deposit {
    const KIND: Kind = Kind::new("deposit");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.base_chain),
            F::from_u32(self.to),
            word(self.asset),
            word(self.amount),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.position),
        ];
        [&start[..], &self.owner].concat()
    }
}
