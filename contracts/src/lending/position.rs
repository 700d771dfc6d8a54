//! A position: collateral in a market, and shares of its debt.

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::record::KIND_POSITION;

use super::{constant, reasons};
use crate::machine::{Machine, Part, Rule, Taken, Use};

use Part::{Any, Is};

/// A position's record but for its kind.
pub(super) struct Position<E> {
    pub market: E,
    pub collateral: E,
    pub debt: E,
    pub owner: [E; 4],
}

impl<E: Algebra<F>> Position<E> {
    /// Takes the position at an index; its market is this one, and its owner too if one is given.
    pub fn take<M: Machine<E = E>>(
        m: &mut M,
        index: &E,
        market: &E,
        owner: Option<[E; 4]>,
    ) -> Rule<(Taken<E>, Self)> {
        let owner = match owner {
            Some(owner) => owner.map(|element| Is(element, &reasons::POSITION_OWNER)),
            None => [const { Any }; 4],
        };
        let [o0, o1, o2, o3] = owner;
        let kind = Is(constant::<M>(KIND_POSITION), &reasons::POSITION);
        let market = Is(market.clone(), &reasons::POSITION_MARKET);
        let record = [kind, market, Any, Any, o0, o1, o2, o3];
        let (taken, found) = m.take(index, Use::Write, record)?;
        let [_, market, collateral, debt, owner @ ..] = found;
        let position = Self {
            market,
            collateral,
            debt,
            owner,
        };
        Ok((taken, position))
    }

    /// Takes the position of this market and owner at an index, or nothing, as an empty one.
    pub fn take_or_open<M: Machine<E = E>>(
        m: &mut M,
        index: &E,
        market: E,
        owner: [E; 4],
    ) -> Rule<(Taken<E>, Self)> {
        let (taken, found) = m.take(index, Use::Write, [const { Any }; 8])?;
        let [kind, its_market, collateral, debt, its_owner @ ..] = found;
        let is_there = kind * F::from_u64(KIND_POSITION).inverse();
        m.flag(&is_there, &reasons::POSITION)?;
        let wanted = market.clone() * is_there.clone();
        m.equal(its_market, wanted, &reasons::POSITION_MARKET)?;
        for (found, named) in its_owner.into_iter().zip(&owner) {
            let wanted = named.clone() * is_there.clone();
            m.equal(found, wanted, &reasons::POSITION_OWNER)?;
        }
        // Where nothing is, there is neither collateral nor debt.
        let is_empty = E::ONE - is_there;
        for value in [&collateral, &debt] {
            m.equal(
                is_empty.clone() * value.clone(),
                E::ZERO,
                &reasons::POSITION,
            )?;
        }
        let position = Self {
            market,
            collateral,
            debt,
            owner,
        };
        Ok((taken, position))
    }

    /// Adds collateral, or takes it away if it is below zero. Caller: it stands for an integer above
    /// -2^62 and below 2^62.
    pub fn add_collateral<M: Machine<E = E>>(&mut self, m: &mut M, more: E) -> Rule<()> {
        self.collateral += more;
        m.range(&self.collateral, AMOUNT_BITS, &reasons::COLLATERAL)
    }

    /// Takes shares off the debt. Caller: an integer below 2^63.
    pub fn reduce_debt<M: Machine<E = E>>(&mut self, m: &mut M, shares: E) -> Rule<()> {
        self.debt -= shares;
        m.range(&self.debt, AMOUNT_BITS, &reasons::DEBT)
    }

    pub fn write<M: Machine<E = E>>(self, m: &mut M, taken: Taken<E>) {
        let [o0, o1, o2, o3] = self.owner;
        let kind = constant::<M>(KIND_POSITION);
        m.write(
            taken,
            [
                kind,
                self.market,
                self.collateral,
                self.debt,
                o0,
                o1,
                o2,
                o3,
            ],
        );
    }
}
