//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::Rates;

/// The content of an accrual, which nobody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrue {
    /// The market; its terms lie at the next index.
    pub market: Index,
    /// Up to when interest is counted.
    pub until: u64,
    /// What the terms say.
    pub rates: Rates,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("until", FieldForm::Number),
    Field::new("slope1", FieldForm::Small),
    Field::new("slope2", FieldForm::Small),
    Field::new("market_fee", FieldForm::Small),
];

impl Body for Accrue {
    const KIND: Kind = Kind::new("accrue");

    fn words(&self) -> Vec<F> {
        let first = [F::from_u32(self.market), word(self.until)];
        [&first[..], &self.rates.words()].concat()
    }
}
