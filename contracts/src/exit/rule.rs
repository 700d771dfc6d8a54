//! The rule of a forced exit.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::deposit::QUEUE_ORDER;
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Part, Rule, Use};
use crate::total::Total;

/// Takes an exit from the queue: pays the whole vault out if it is the asking owner's, else changes
/// nothing; the item is consumed in both cases.
#[derive(Clone, Copy, Debug)]
pub struct ExitLaw;

/// The highest asset of the base chain.
const LAST_BASE_ASSET: u32 = u32::MAX;
/// What must hold for a payment: it is a vault, four elements of the owner agree, the asset is of
/// the base chain, and there is something in it.
const CONDITIONS: u8 = 7;

impl Law for ExitLaw {
    fn name(&self) -> &'static str {
        "exit"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Loss {
            name: "withdrawn",
            vault: "index",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [base_chain, position, index] = m.words();
        let owner: [M::E; 4] = m.words();
        let [a0, a1, a2] = m.words();

        let [o0, o1, o2, o3] = owner.clone();
        let item = [
            base_chain.clone(),
            position.clone(),
            index.clone(),
            o0,
            o1,
            o2,
            o3,
            a0.clone(),
            a1.clone(),
            a2.clone(),
        ];
        let item = m.hash(Domain::ExitItem, &item);
        let digest = m.hash(Domain::Exit, &item);
        let next = m.queue_position();
        m.equal(position, next, &QUEUE_ORDER)?;
        m.queued(&item);
        m.unsigned(&digest);

        let (taken, found) = m.take(&index, Use::Whole, [const { Part::Any }; 8])?;
        let [kind, asset, balance, nonce, owner_found @ ..] = found;
        // Whether it pays follows from record and item alone: nobody can choose.
        let is_vault = m.is_zero(kind.clone() - F::ONE);
        let mut met = is_vault.clone();
        for (found, asked) in owner_found.iter().zip(owner) {
            met += m.is_zero(found.clone() - asked);
        }
        // Of a vault the asset is an integer; of other records this is zero.
        let vault_asset = m.product(&is_vault, &asset);
        let last = M::E::from(F::from_u32(LAST_BASE_ASSET));
        met += m.at_least(&last, &vault_asset, AMOUNT_BITS);
        met += M::E::ONE - m.is_zero(balance.clone());
        let pays = m.is_zero(met - F::from_u8(CONDITIONS));

        let paid = m.product(&pays, &balance);
        let [f0, f1, f2, f3] = owner_found;
        let left = balance - paid.clone();
        m.write(taken, [kind, asset.clone(), left, nonce, f0, f1, f2, f3]);
        let owed = m.hash(
            Domain::WithdrawPayload,
            &[base_chain, a0, a1, a2, asset, paid],
        );
        m.withdrawn(&owed, pays);
        Ok(nothing())
    }
}
