//! What a forced exit says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::address::Address;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;

/// One entry of the base chain's queue: an owner wants out of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The chain whose queue it comes from, and which will owe what the vault holds.
    pub base_chain: u32,
    /// The position in the queue: how many items were taken before this one.
    pub position: u64,
    /// The vault; below 2^32 - 1, which the queue sees to.
    pub index: Index,
    /// Who asks, as the queue has checked: paid if the vault is theirs.
    pub owner: Digest,
    /// To whom it is paid: the exit address in `owner`.
    pub address: Address,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("base_chain", FieldForm::Small),
    Field::new("position", FieldForm::Number),
    Field::new("index", FieldForm::Small),
    Field::new("owner", FieldForm::Digest),
    Field::new("address", FieldForm::Address),
];

impl Body for Exit {
    const KIND: Kind = Kind::new("exit");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.base_chain),
            word(self.position),
            F::from_u32(self.index),
        ];
        [&start[..], &self.owner, &self.address.elements()].concat()
    }
}
