//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;

/// The content of a price, which its feeder signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Where the price lies: one of this feeder's, or an empty place.
    pub index: Index,
    /// How many units of the loan asset the units of the scale are worth: from 1 to 2^61 - 1.
    pub price: u64,
    /// As of when, in seconds.
    pub time: u64,
    /// The owner digest of who may write it.
    pub feeder: Digest,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("index", FieldForm::Small),
    Field::new("price", FieldForm::Number),
    Field::new("time", FieldForm::Number),
    Field::new("feeder", FieldForm::Digest),
];

impl Body for Price {
    const KIND: Kind = Kind::new("price");

    fn words(&self) -> Vec<F> {
        let first = [F::from_u32(self.index), word(self.price), word(self.time)];
        [&first[..], &self.feeder].concat()
    }
}
