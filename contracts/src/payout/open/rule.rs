//! The rule of a payout's opening.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::KIND_PAYOUT;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Reason, Rule};
use crate::total::Total;
use crate::vaults::{Payer, not_after, pay, reasons, take_empty};

/// Opens a payout.
#[derive(Clone, Copy, Debug)]
pub struct PayoutLaw;

/// A payout on an index that is used.
static USED: Reason = Reason::new(
    "index-used",
    "found {found} in the record at the payout's index, expected nothing there",
);

impl Law for PayoutLaw {
    fn name(&self) -> &'static str {
        "payout"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Loss {
            name: "put_aside",
            vault: "from",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [from, at, asset] = m.words();
        let total = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let [l0, l1, l2, l3, valid_until] = m.words();
        let (fee, fee_vault) = m.fee(&asset)?;
        let nonce = m.word();
        let message = [
            from.clone(),
            at.clone(),
            asset.clone(),
            total.clone(),
            l0.clone(),
            l1.clone(),
            l2.clone(),
            l3.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::Payout, &message);
        not_after(m, valid_until)?;

        let taken = take_empty(m, &at, &USED)?;
        let payer = Payer {
            index: from.clone(),
            asset: asset.clone(),
            nonce,
            outgo: total.clone() + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        let kind = M::E::from(F::from_u64(KIND_PAYOUT));
        m.write(taken, [kind, asset, total, from, l0, l1, l2, l3]);
        Ok(nothing())
    }
}
