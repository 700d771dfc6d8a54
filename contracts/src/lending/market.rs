//! A market: what was supplied to it, what was borrowed from it, and whose share that is.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::record::KIND_MARKET;

use super::{VIRTUAL_ASSETS, VIRTUAL_SHARES, reasons};
use crate::machine::{Machine, Part, Rule, Taken, Use};

use Part::{Any, Is};

/// Assets, and the shares that they belong to. Both are integers, and so is what is below: assets are
/// below 2^62, and with the virtual ones the shares are too.
#[derive(Clone)]
pub(super) struct Side<E> {
    pub assets: E,
    pub shares: E,
}

impl<E: p3_field::Algebra<F>> Side<E> {
    /// With the virtual ones: neither is ever zero.
    pub fn whole(&self) -> (E, E) {
        let assets = self.assets.clone() + F::from_u64(VIRTUAL_ASSETS);
        let shares = self.shares.clone() + F::from_u64(VIRTUAL_SHARES);
        (assets, shares)
    }

    /// Returns how many shares so many assets are. Caller: an integer below 2^62.
    pub fn shares_for<M: Machine<E = E>>(&self, m: &mut M, assets: &E, up: bool) -> Rule<E> {
        let (all, shares) = self.whole();
        m.mul_div(assets, &shares, &all, up, &reasons::QUOTIENT)
    }

    /// Returns how many assets so many shares are. Caller: an integer below 2^62.
    pub fn assets_for<M: Machine<E = E>>(&self, m: &mut M, shares: &E, up: bool) -> Rule<E> {
        let (assets, all) = self.whole();
        m.mul_div(shares, &assets, &all, up, &reasons::QUOTIENT)
    }

    /// Adds shares to those that somebody holds.
    pub fn add_shares<M: Machine<E = E>>(&mut self, m: &mut M, more: E) -> Rule<()> {
        self.shares += more;
        m.range(&self.whole().1, AMOUNT_BITS, &reasons::SHARES)
    }
}

/// A market's record but for its kind.
#[derive(Clone)]
pub(super) struct Market<E> {
    pub supplied: Side<E>,
    pub borrowed: Side<E>,
    pub time: E,
    pub loan: E,
    pub fee_shares: E,
}

impl<E: p3_field::Algebra<F>> Market<E> {
    fn parts(time: Part<E>) -> [Part<E>; 8] {
        let kind = Is(E::from(F::from_u64(KIND_MARKET)), &reasons::MARKET);
        [kind, Any, Any, Any, Any, time, Any, Any]
    }

    fn found(record: [E; 8]) -> Self {
        let [_, sa, ss, ba, bs, time, loan, fee_shares] = record;
        let side = |assets, shares| Side { assets, shares };
        Self {
            supplied: side(sa, ss),
            borrowed: side(ba, bs),
            time,
            loan,
            fee_shares,
        }
    }

    /// Takes the market at an index, whose interest is counted up to now.
    pub fn take<M: Machine<E = E>>(m: &mut M, index: &E) -> Rule<(Taken<E>, Self)> {
        let parts = Self::parts(Is(m.now(), &reasons::MARKET_TIME));
        let (taken, found) = m.take(index, Use::Write, parts)?;
        Ok((taken, Self::found(found)))
    }

    /// Takes the market at an index, whatever its time is.
    pub fn take_any_time<M: Machine<E = E>>(m: &mut M, index: &E) -> Rule<(Taken<E>, Self)> {
        let (taken, found) = m.take(index, Use::Write, Self::parts(Any))?;
        Ok((taken, Self::found(found)))
    }

    /// Reads the market at an index, whatever its time is.
    pub fn read<M: Machine<E = E>>(m: &mut M, index: &E) -> Rule<Self> {
        Ok(Self::found(m.read(index, Self::parts(Any))?))
    }

    /// A market of nothing, at this time.
    pub fn new(time: E, loan: E) -> Self {
        let nothing = Side {
            assets: E::ZERO,
            shares: E::ZERO,
        };
        Self {
            supplied: nothing.clone(),
            borrowed: nothing,
            time,
            loan,
            fee_shares: E::ZERO,
        }
    }

    pub fn record(self) -> [E; 8] {
        [
            E::from(F::from_u64(KIND_MARKET)),
            self.supplied.assets,
            self.supplied.shares,
            self.borrowed.assets,
            self.borrowed.shares,
            self.time,
            self.loan,
            self.fee_shares,
        ]
    }

    pub fn write<M: Machine<E = E>>(self, m: &mut M, taken: Taken<E>) {
        m.write(taken, self.record());
    }

    /// Counts what is paid back for shares of the debt, rounded up: the last unit may be one more
    /// than is owed, and belongs to the suppliers then. Returns how much is paid. Caller: the
    /// shares are an integer, and no more than are owed.
    pub fn pay_back<M: Machine<E = E>>(&mut self, m: &mut M, shares: &E) -> Rule<E> {
        let paid = self.borrowed.assets_for(m, shares, true)?;
        let before = self.borrowed.assets.clone();
        let owed = saturating_sub(m, &before, &paid);
        self.supplied.assets += paid.clone() + owed.clone() - before;
        self.borrowed.assets = owed;
        self.borrowed.shares -= shares.clone();
        Ok(paid)
    }

    /// Writes shares of the debt off: the suppliers lose what they are, rounded up. Caller: as for
    /// [`Self::pay_back`].
    pub fn write_off<M: Machine<E = E>>(&mut self, m: &mut M, shares: &E) -> Rule<()> {
        let lost = self.borrowed.assets_for(m, shares, true)?;
        let before = self.borrowed.assets.clone();
        let owed = saturating_sub(m, &before, &lost);
        self.supplied.assets += owed.clone() - before;
        self.borrowed.assets = owed;
        self.borrowed.shares -= shares.clone();
        Ok(())
    }
}

/// Returns a - b, or zero if b is more. Caller: both are integers below 2^62.
fn saturating_sub<M: Machine>(m: &mut M, a: &M::E, b: &M::E) -> M::E {
    let covers = m.at_least(a, b, AMOUNT_BITS);
    m.product(&covers, &(a.clone() - b.clone()))
}
