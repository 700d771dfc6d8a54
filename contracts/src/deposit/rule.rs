//! The rule of a deposit.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Reason, Rule};
use crate::total::Total;
use crate::vaults::{Credit, credit, reasons};

/// Puts what was paid on the base chain into a vault.
#[derive(Clone, Copy, Debug)]
pub struct DepositLaw;

/// An item that is not the next of the queue.
pub static QUEUE_ORDER: Reason = Reason::new(
    "queue-order",
    "found item {found} of the queue, expected {expected}",
);
/// An asset that the base chain does not number.
pub static BASE_ASSET: Reason = Reason::new(
    "base-asset",
    "found asset {found}, expected one of the base chain, below 2^32",
);

impl Law for DepositLaw {
    fn name(&self) -> &'static str {
        "deposit"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Gain {
            name: "deposited",
            vault: "to",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [base_chain, to] = m.words();
        let asset = m.integer(32, &BASE_ASSET)?;
        let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let (fee, fee_vault) = m.fee(&asset)?;
        let position = m.word();
        let owner: [M::E; 4] = m.words();

        let [o0, o1, o2, o3] = owner.clone();
        let item = [
            base_chain,
            position.clone(),
            asset.clone(),
            amount.clone(),
            fee,
            o0,
            o1,
            o2,
            o3,
        ];
        let item = m.hash(Domain::DepositPayload, &item);
        let [i0, i1, i2, i3] = item.clone();
        let digest = m.hash(Domain::Deposit, &[i0, i1, i2, i3, to.clone(), fee_vault]);

        let next = m.queue_position();
        m.equal(position, next, &QUEUE_ORDER)?;
        m.queued(&item);
        m.unsigned(&digest);

        let gain = Credit {
            index: to,
            owner,
            asset,
            amount,
        };
        credit(m, gain)?;
        Ok(nothing())
    }
}
