//! The rule of a withdrawal.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::deposit::BASE_ASSET;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::{Payer, pay, reasons};

/// Takes an amount out of a vault: the base chain owes it.
#[derive(Clone, Copy, Debug)]
pub struct WithdrawLaw;

impl Law for WithdrawLaw {
    fn name(&self) -> &'static str {
        "withdraw"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Loss {
            name: "withdrawn",
            vault: "from",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let from = m.word();
        // Shares of a pool mean nothing on the base chain.
        let asset = m.integer(32, &BASE_ASSET)?;
        let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let (fee, fee_vault) = m.fee(&asset)?;
        let [nonce, base_chain, a0, a1, a2] = m.words();

        let owed = [base_chain, a0, a1, a2, asset.clone(), amount.clone()];
        let owed = m.hash(Domain::WithdrawPayload, &owed);
        let [w0, w1, w2, w3] = owed.clone();
        let body = [
            w0,
            w1,
            w2,
            w3,
            from.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::Withdraw, &body);

        let payer = Payer {
            index: from,
            asset,
            nonce,
            outgo: amount + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        m.withdrawn(&owed, M::E::ONE);
        Ok(nothing())
    }
}
