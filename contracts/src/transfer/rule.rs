//! The rule of a transfer.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Reason, Rule};
use crate::total::Total;
use crate::vaults::{Credit, Payer, credit, pay, reasons};

/// Moves an amount of one asset from a vault to another.
#[derive(Clone, Copy, Debug)]
pub struct TransferLaw;

/// An index that shares an element with another one must not be the highest.
static TO_INDEX: Reason = Reason::new(
    "to-index",
    "found the highest index as receiver, where no transfer can go",
);

impl Law for TransferLaw {
    fn name(&self) -> &'static str {
        "transfer"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[
            Total::Loss {
                name: "paid",
                vault: "from",
            },
            Total::Gain {
                name: "received",
                vault: "to",
            },
        ]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [from, to, asset] = m.words();
        let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let (fee, fee_vault) = m.fee(&asset)?;
        let nonce = m.word();
        let to_owner: [M::E; 4] = m.words();

        // Both are indices of records, so the pair opens in one way but for the highest `to`.
        let highest = F::from_u32(u32::MAX);
        m.nonzero(to.clone() - highest, &TO_INDEX)?;
        let pair = from.clone() + to.clone() * F::from_u64(1 << 32);
        let [o0, o1, o2, o3] = to_owner.clone();
        let body = [
            pair,
            asset.clone(),
            amount.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
            o0,
            o1,
            o2,
            o3,
        ];
        let digest = m.hash(Domain::Transfer, &body);

        let payer = Payer {
            index: from,
            asset: asset.clone(),
            nonce,
            outgo: amount.clone() + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;

        let gain = Credit {
            index: to,
            owner: to_owner,
            asset,
            amount,
        };
        credit(m, gain)?;
        Ok(nothing())
    }
}
