//! What a withdrawal says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::address::Address;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// The signed content of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdraw {
    /// The vault that pays.
    pub from: Index,
    /// What leaves.
    pub asset: Asset,
    /// How much leaves, below 2^62.
    pub amount: u64,
    /// The operator's fee, paid on top of the amount.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
    /// The chain on which the amount is owed.
    pub base_chain: u32,
    /// To whom it is owed.
    pub address: Address,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("from", FieldForm::Small),
    Field::new("asset", FieldForm::Number),
    Field::new("amount", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
    Field::new("base_chain", FieldForm::Small),
    Field::new("address", FieldForm::Address),
];

impl Body for Withdraw {
    const KIND: Kind = Kind::new("withdraw");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.from),
            word(self.asset),
            word(self.amount),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
            F::from_u32(self.base_chain),
        ];
        [&start[..], &self.address.elements()].concat()
    }
}
