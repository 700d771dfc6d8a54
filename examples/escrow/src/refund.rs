//! Refund: after the deadline the money goes back, whoever asks.

use std::slice::from_ref;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::vaults::{Credit, put};
use shardfold_contracts::{Body, Carried, Law, Machine, Rule, nothing};
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, Kind};

use crate::release::FIELDS;
use crate::terms::{self, TIME_BITS, Terms, What, reasons};

/// Pays the money back to the payer, once the deadline has come; nobody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The index of the escrow.
    pub at: Index,
    /// What was agreed.
    pub terms: Terms,
}

impl Body for Refund {
    const KIND: Kind = Kind::new("escrow_refund");

    fn words(&self) -> Vec<F> {
        [&[F::from_u32(self.at)][..], &self.terms.words()].concat()
    }
}

/// The rule of [`Refund`].
#[derive(Clone, Copy, Debug)]
pub struct RefundLaw;

impl Law for RefundLaw {
    fn name(&self) -> &'static str {
        "escrow_refund"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let at = m.word();
        let terms = terms::read(m)?;
        let agreed = terms::digest(m, &terms);
        let message = [from_ref(&at), &agreed[..]].concat();
        let digest = terms::hash(m, What::Refund, &message);
        m.unsigned(&digest);

        // The ledger's time is below 2^40 as well.
        let now = m.now();
        let has_come = m.at_least(&now, &terms.deadline, TIME_BITS);
        m.equal(has_come, M::E::ONE, &reasons::EARLY)?;

        let held = terms::take(m, &at, &agreed)?;
        let credit = Credit {
            index: terms.payer,
            owner: terms.payer_owner,
            asset: held.asset(),
            amount: held.amount(),
        };
        terms::empty(m, held);
        put(m, credit)?;
        Ok(nothing())
    }
}
