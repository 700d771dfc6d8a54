//! What a swap says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::FeePayment;
use crate::law::Body;

/// A swap of an exact amount for as much as the pools give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapIn {
    /// What is paid.
    pub asset_in: Asset,
    /// How much is paid, below 2^62.
    pub amount_in: u64,
    /// The pools that are passed, in order: one to three, each of them once.
    pub pools: Vec<Index>,
    /// What is received.
    pub asset_out: Asset,
    /// The vault that pays and signs.
    pub from: Index,
    /// The vault that receives: one of the same owner and `asset_out`, or an empty index.
    pub to: Index,
    /// The least that must be received.
    pub min_out: u64,
    /// The last second in which it may happen.
    pub valid_until: u64,
    /// The operator's fee, in the asset that is paid.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
}

/// A swap of as much as the pools ask for an exact amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapOut {
    /// What is received.
    pub asset_out: Asset,
    /// How much is received, below 2^62.
    pub amount_out: u64,
    /// The pools that are passed, in order: one to three, each of them once.
    pub pools: Vec<Index>,
    /// What is paid.
    pub asset_in: Asset,
    /// The vault that pays and signs.
    pub from: Index,
    /// The vault that receives: one of the same owner and `asset_out`, or an empty index.
    pub to: Index,
    /// The most that may be paid.
    pub max_in: u64,
    /// The last second in which it may happen.
    pub valid_until: u64,
    /// The operator's fee, in the asset that is paid.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
}

/// The parts of the body of a `swap_in`, in the order of its elements.
pub(super) const FIELDS_IN: &[Field] = &[
    Field::new("asset_in", FieldForm::Number),
    Field::new("amount_in", FieldForm::Number),
    Field::new("pools", FieldForm::List(1)),
    Field::new("asset_out", FieldForm::Number),
    Field::new("from", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("min_out", FieldForm::Number),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

/// The parts of the body of a `swap_out`; its pools are listed from the last to the first.
pub(super) const FIELDS_OUT: &[Field] = &[
    Field::new("asset_out", FieldForm::Number),
    Field::new("amount_out", FieldForm::Number),
    Field::new("pools_from_last", FieldForm::List(1)),
    Field::new("asset_in", FieldForm::Number),
    Field::new("from", FieldForm::Small),
    Field::new("to", FieldForm::Small),
    Field::new("max_in", FieldForm::Number),
    Field::new("valid_until", FieldForm::Number),
    Field::new("fee", FieldForm::Number),
    Field::new("fee_vault", FieldForm::Small),
    Field::new("nonce", FieldForm::Number),
];

impl Body for SwapIn {
    const KIND: Kind = Kind::new("swap_in");

    fn words(&self) -> Vec<F> {
        let mut words = vec![word(self.asset_in), word(self.amount_in)];
        words.extend(self.pools.iter().copied().map(F::from_u32));
        words.extend([
            word(self.asset_out),
            F::from_u32(self.from),
            F::from_u32(self.to),
            word(self.min_out),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ]);
        words
    }
}

impl Body for SwapOut {
    const KIND: Kind = Kind::new("swap_out");

    fn words(&self) -> Vec<F> {
        let mut words = vec![word(self.asset_out), word(self.amount_out)];
        words.extend(self.pools.iter().rev().copied().map(F::from_u32));
        words.extend([
            word(self.asset_in),
            F::from_u32(self.from),
            F::from_u32(self.to),
            word(self.max_in),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ]);
        words
    }
}
