//! Opening: the payer pays into an empty record.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::machine::Use;
use shardfold_contracts::total::Total;
use shardfold_contracts::vaults::{Payer, pay, reasons as vault_reasons};
use shardfold_contracts::{Body, Carried, FeePayment, Law, Machine, Part, Rule, nothing};
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::terms::{self, ESCROW, Terms, What, reasons};

/// Puts money into an escrow; the payer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The index of the escrow: an empty leaf.
    pub at: Index,
    /// What is paid.
    pub asset: Asset,
    /// How much, below 2^62.
    pub amount: u64,
    /// The operator's fee on top.
    pub fee: FeePayment,
    /// The paying vault's nonce.
    pub nonce: u64,
    /// What is agreed; the paying vault is in it.
    pub terms: Terms,
}

impl Body for Open {
    const KIND: Kind = Kind::new("escrow_open");

    fn words(&self) -> Vec<F> {
        let start = [
            F::from_u32(self.at),
            word(self.asset),
            word(self.amount),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
            word(self.nonce),
        ];
        [&start[..], &self.terms.words()].concat()
    }
}

/// The rule of [`Open`].
#[derive(Clone, Copy, Debug)]
pub struct OpenLaw;

impl Law for OpenLaw {
    fn name(&self) -> &'static str {
        "escrow_open"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                Field::new("at", FieldForm::Small),
                Field::new("asset", FieldForm::Number),
                Field::new("amount", FieldForm::Number),
                Field::new("fee", FieldForm::Number),
                Field::new("fee_vault", FieldForm::Small),
                Field::new("nonce", FieldForm::Number),
                Field::new("payer", FieldForm::Small),
                Field::new("payer_owner", FieldForm::Digest),
                Field::new("payee", FieldForm::Small),
                Field::new("payee_owner", FieldForm::Digest),
                Field::new("arbiter", FieldForm::Digest),
                Field::new("deadline", FieldForm::Number),
            ]
        }
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Loss {
            name: "put_aside",
            vault: "payer",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        // The body, in the order of `words`.
        let [at, asset] = m.words();
        let amount = m.integer(AMOUNT_BITS, &vault_reasons::AMOUNT)?;
        let (fee, fee_vault) = m.fee(&asset)?;
        let nonce = m.word();
        let terms = terms::read(m)?;

        // What the payer signs: all of it.
        let agreed = terms::digest(m, &terms);
        let [t0, t1, t2, t3] = agreed;
        let message = [
            at.clone(),
            asset.clone(),
            amount.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
            t0.clone(),
            t1.clone(),
            t2.clone(),
            t3.clone(),
        ];
        let digest = terms::hash(m, What::Open, &message);

        // The payer pays, and is who the terms say.
        let payer = Payer {
            index: terms.payer,
            asset: asset.clone(),
            nonce,
            outgo: amount.clone() + fee,
        };
        let owner = pay(m, payer)?;
        for (found, named) in owner.iter().zip(terms.payer_owner) {
            m.equal(found.clone(), named, &reasons::TERMS)?;
        }
        m.signed(&owner, &digest)?;

        // The money lies in a record that was empty.
        let none = || Part::Is(M::E::ZERO, &reasons::TAKEN);
        let (taken, _) = m.take(&at, Use::Write, core::array::from_fn(|_| none()))?;
        let kind = M::E::from(F::from_u32(ESCROW));
        m.write(taken, [kind, asset, amount, M::E::ZERO, t0, t1, t2, t3]);
        Ok(nothing())
    }
}
