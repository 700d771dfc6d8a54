//! The rule of a payout's end.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::KIND_PAYOUT;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Part, Reason, Rule, Use};
use crate::payout::PAYOUT;
use crate::total::Total;
use crate::vaults::{Payer, not_after, pay};

use Part::{Any, Is};

/// Ends a payout.
#[derive(Clone, Copy, Debug)]
pub struct CancelPayoutLaw;

/// Another vault than the payer's.
static REFUND: Reason = Reason::new(
    "refund",
    "found a payout that goes back to vault {found}, expected {expected}",
);

impl Law for CancelPayoutLaw {
    fn name(&self) -> &'static str {
        "cancel_payout"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Gain {
            name: "returned",
            vault: "to",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, to, valid_until] = m.words();
        let kind = M::E::from(F::from_u64(KIND_PAYOUT));
        let record = [
            Is(kind, &PAYOUT),
            Any,
            Any,
            Is(to.clone(), &REFUND),
            Any,
            Any,
            Any,
            Any,
        ];
        let (taken, found) = m.take(&at, Use::Write, record)?;
        let [kind, asset, remaining, ..] = found;
        let (fee, fee_vault) = m.fee(&asset)?;
        let nonce = m.word();
        let message = [
            at,
            to.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::CancelPayout, &message);
        not_after(m, valid_until)?;

        let [z0, z1, z2, z3, z4] = core::array::from_fn(|_| M::E::ZERO);
        m.write(taken, [kind, asset.clone(), z0, to.clone(), z1, z2, z3, z4]);
        let payer = Payer {
            index: to,
            asset,
            nonce,
            outgo: fee - remaining,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        Ok(nothing())
    }
}
