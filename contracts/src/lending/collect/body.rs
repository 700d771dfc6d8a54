//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind};

use crate::law::Body;

/// The content of a collection, which nobody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// The fee vault that the terms name.
    pub share_vault: Index,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("share_vault", FieldForm::Small),
];

impl Body for Collect {
    const KIND: Kind = Kind::new("collect");

    fn words(&self) -> Vec<F> {
        let first = [F::from_u32(self.market), F::from_u32(self.share_vault)];
        first.to_vec()
    }
}
