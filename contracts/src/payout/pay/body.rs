//! What the payment of entries says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::payout::Entry;

/// Pays the next entries of a payout's list. Nobody signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// Where the payout lies.
    pub index: Index,
    /// What the entries add up to, below 2^62.
    pub total: u64,
    /// The digest of the list after them.
    pub rest: Digest,
    /// The entries, in the list's order: one to [`super::MAX_PAID`], no vault twice.
    pub entries: Vec<Entry>,
}

impl Pay {
    /// Pays these entries, after which the rest of the list has this digest.
    #[must_use]
    pub fn new(index: Index, entries: &[Entry], rest: Digest) -> Self {
        Self {
            index,
            total: entries
                .iter()
                .fold(0, |sum, entry| sum.saturating_add(entry.amount)),
            rest,
            entries: entries.to_vec(),
        }
    }
}

/// The parts of the body, in the order of its elements: the entries from the last to the first.
pub(super) const FIELDS: &[Field] = &[
    Field::new("index", FieldForm::Small),
    Field::new("total", FieldForm::Number),
    Field::new("rest", FieldForm::Digest),
    Field::new("entries_from_last", FieldForm::List(2)),
];

impl Body for Pay {
    const KIND: Kind = Kind::new("pay");

    fn words(&self) -> Vec<F> {
        let mut words = vec![F::from_u32(self.index), word(self.total)];
        words.extend(self.rest);
        for entry in self.entries.iter().rev() {
            words.extend([F::from_u32(entry.to), word(entry.amount)]);
        }
        words
    }
}
