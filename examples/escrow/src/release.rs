//! Release: the arbiter lets the payee have the money.

use std::slice::from_ref;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::vaults::{Credit, put};
use shardfold_contracts::{Body, Carried, Law, Machine, Rule, nothing};
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, Kind};

use crate::terms::{self, Terms, What};

/// Pays the money out to the payee; the arbiter signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The index of the escrow.
    pub at: Index,
    /// What was agreed.
    pub terms: Terms,
}

impl Body for Release {
    const KIND: Kind = Kind::new("escrow_release");

    fn words(&self) -> Vec<F> {
        [&[F::from_u32(self.at)][..], &self.terms.words()].concat()
    }
}

/// The rule of [`Release`].
#[derive(Clone, Copy, Debug)]
pub struct ReleaseLaw;

/// The body of what closes an escrow.
pub(crate) const FIELDS: &[Field] = &[
    Field::new("at", FieldForm::Small),
    Field::new("payer", FieldForm::Small),
    Field::new("payer_owner", FieldForm::Digest),
    Field::new("payee", FieldForm::Small),
    Field::new("payee_owner", FieldForm::Digest),
    Field::new("arbiter", FieldForm::Digest),
    Field::new("deadline", FieldForm::Number),
];

impl Law for ReleaseLaw {
    fn name(&self) -> &'static str {
        "escrow_release"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let at = m.word();
        let terms = terms::read(m)?;
        let agreed = terms::digest(m, &terms);
        let message = [from_ref(&at), &agreed[..]].concat();
        let digest = terms::hash(m, What::Release, &message);
        // Once only: after it there is nothing left to release.
        m.signed(&terms.arbiter, &digest)?;

        let held = terms::take(m, &at, &agreed)?;
        let credit = Credit {
            index: terms.payee,
            owner: terms.payee_owner,
            asset: held.asset(),
            amount: held.amount(),
        };
        terms::empty(m, held);
        put(m, credit)?;
        Ok(nothing())
    }
}
