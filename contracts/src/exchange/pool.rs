//! What the contracts of the exchange share: a pool's record, and one swap in it.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::{AMOUNT_BITS, AMOUNT_LIMIT};
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, KIND_POOL, Record};

use crate::machine::{Machine, Part, Rule, Taken, Use};

use Part::{Any, Is};

/// What a fee is a part of.
pub const WHOLE: u64 = 1_000_000;
/// The highest fee: a tenth.
pub const MAX_FEE: u64 = 100_000;
/// Shares of a pool that nobody holds.
pub const MIN_SHARES: u64 = 1_000;

/// Reasons of the exchange.
pub mod reasons {
    use crate::machine::Reason;

    /// A pool where none is.
    pub static POOL: Reason = Reason::new(
        "pool",
        "found a record of kind {found} at the pool's index, expected a pool",
    );
    /// A pool with another way of pricing.
    pub static MODE: Reason = Reason::new("pool-mode", "found a pool of mode {found}, expected 0");
    /// A pool of other assets.
    pub static POOL_ASSET: Reason = Reason::new(
        "pool-asset",
        "found a pool that does not have the asset that is swapped",
    );
    /// A path that ends in another asset.
    pub static PATH: Reason = Reason::new(
        "path",
        "found that the pools lead to asset {found}, expected {expected}",
    );
    /// An amount of nothing.
    pub static ZERO: Reason = Reason::new("zero-amount", "found an amount of zero");
    /// Too little to get anything for.
    pub static NOTHING: Reason =
        Reason::new("nothing", "found that the swap would give nothing at all");
    /// More than the pool can give or take.
    pub static LIQUIDITY: Reason = Reason::new(
        "liquidity",
        "found a swap that the pool's reserves cannot serve",
    );
    /// A reserve that would be too large.
    pub static RESERVE: Reason = Reason::new(
        "reserve",
        "found that a reserve would be {found}, expected less than 2^62",
    );
    /// A price that is worse than the trader said.
    pub static LIMIT: Reason = Reason::new(
        "limit",
        "found that the amount misses the limit: {found} is left to it",
    );
    /// Shares out of bounds.
    pub static SHARES: Reason = Reason::new(
        "shares",
        "found that the pool would have {found} shares, expected less than 2^62",
    );
    /// A pool whose last shares would be taken.
    pub static LAST_SHARES: Reason = Reason::new(
        "last-shares",
        "found that {found} shares would be left beside the 1000 that nobody holds",
    );
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool<E> {
    /// One asset.
    pub asset_a: E,
    /// The other one.
    pub asset_b: E,
    /// What it holds of asset a.
    pub reserve_a: E,
    /// What it holds of asset b.
    pub reserve_b: E,
    /// All of its shares, those that nobody holds too.
    pub shares: E,
    /// What a swap pays, in millionths of what is paid.
    pub fee: E,
}

impl<E: PrimeCharacteristicRing> Pool<E> {
    /// Returns the pool's record.
    #[inline(always)]
    pub(super) fn record(self) -> [E; 8] {
        let Self {
            asset_a,
            asset_b,
            reserve_a,
            reserve_b,
            shares,
            fee,
        } = self;
        let kind = E::from_u64(KIND_POOL);
        let mode = E::ZERO;
        [
            kind, asset_a, asset_b, reserve_a, reserve_b, shares, fee, mode,
        ]
    }
}

impl Pool<u64> {
    /// Returns the pool that a record is, if it is one.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let [kind, asset_a, asset_b, reserve_a, reserve_b, shares, fee, _] =
            record.0.map(|element| element.as_canonical_u64());
        (kind == KIND_POOL).then_some(Self {
            asset_a,
            asset_b,
            reserve_a,
            reserve_b,
            shares,
            fee,
        })
    }

    /// Returns the reserves of the side that is paid in and of the other one; `None` if the pool
    /// does not have the asset.
    #[must_use]
    pub fn sides(&self, asset_in: Asset) -> Option<(u64, u64)> {
        match asset_in {
            _ if asset_in == self.asset_a => Some((self.reserve_a, self.reserve_b)),
            _ if asset_in == self.asset_b => Some((self.reserve_b, self.reserve_a)),
            _ => None,
        }
    }
}

impl From<Pool<u64>> for Record {
    fn from(pool: Pool<u64>) -> Self {
        let [a, b] = [pool.asset_a, pool.asset_b].map(F::from_u64);
        let [reserve_a, reserve_b] = [pool.reserve_a, pool.reserve_b].map(F::from_u64);
        let [shares, fee] = [pool.shares, pool.fee].map(F::from_u64);
        Self(
            Pool {
                asset_a: a,
                asset_b: b,
                reserve_a,
                reserve_b,
                shares,
                fee,
            }
            .record(),
        )
    }
}

/// Returns what an exact amount buys of a pool with these reserves and this fee, as `swap_in` rules
/// it; `None` where it rejects.
#[must_use]
pub fn quote_in((reserve_in, reserve_out): (u64, u64), fee: u64, amount: u64) -> Option<u64> {
    let [reserve_in, reserve_out, fee, amount] =
        [reserve_in, reserve_out, fee, amount].map(u128::from);
    let limit = u128::from(AMOUNT_LIMIT);
    let whole = u128::from(WHOLE);
    if amount >= limit || reserve_in + amount >= limit {
        return None;
    }
    let effective = amount * whole.checked_sub(fee)? / whole;
    let out = (effective * reserve_out).checked_div(reserve_in + effective)?;
    u64::try_from(out).ok().filter(|&out| out > 0)
}

/// Returns what an exact amount costs, as `swap_out` rules it; `None` where it rejects.
#[must_use]
pub fn quote_out((reserve_in, reserve_out): (u64, u64), fee: u64, amount: u64) -> Option<u64> {
    let [reserve_in, reserve_out, fee, amount] =
        [reserve_in, reserve_out, fee, amount].map(u128::from);
    let limit = u128::from(AMOUNT_LIMIT);
    let whole = u128::from(WHOLE);
    let left = reserve_out
        .checked_sub(amount)
        .filter(|&left| left > 0 && amount > 0)?;
    let effective = (reserve_in * amount).div_ceil(left);
    if effective >= limit {
        return None;
    }
    let paid = (effective * whole).div_ceil(whole.checked_sub(fee).filter(|&kept| kept > 0)?);
    let fits = paid < limit && reserve_in + paid < limit;
    u64::try_from(paid).ok().filter(|_| fits)
}

/// A pool that was taken.
type Held<E> = (Taken<E>, Pool<E>);

/// Takes the pool at an index.
#[inline(always)]
pub(super) fn take<M: Machine>(m: &mut M, index: &M::E) -> Rule<Held<M::E>> {
    let record = [
        Is(M::E::from(F::from_u64(KIND_POOL)), &reasons::POOL),
        Any,
        Any,
        Any,
        Any,
        Any,
        Any,
        Is(M::E::ZERO, &reasons::MODE),
    ];
    let (taken, found) = m.take(index, Use::Write, record)?;
    let [_, asset_a, asset_b, reserve_a, reserve_b, shares, fee, _] = found;
    let pool = Pool {
        asset_a,
        asset_b,
        reserve_a,
        reserve_b,
        shares,
        fee,
    };
    Ok((taken, pool))
}

/// Which amount of a swap is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exact {
    /// What is paid.
    In,
    /// What is received.
    Out,
}

/// Passes one pool, given the exact side's asset and amount; returns those of the other side.
/// Caller: the amount is an integer below 2^62, and not zero.
///
/// # Errors
/// No such pool, or one that cannot serve the swap.
#[inline(always)]
pub(super) fn pass<M: Machine>(
    m: &mut M,
    exact: Exact,
    index: &M::E,
    (asset, amount): (M::E, M::E),
) -> Rule<(M::E, M::E)> {
    let (taken, pool) = take(m, index)?;
    let (reserve_a, reserve_b) = (pool.reserve_a.clone(), pool.reserve_b.clone());
    // The pool is passed from b to a if the flag is 1; its assets differ, so the flag has one value.
    let (near, far) = match exact {
        Exact::In => (&pool.asset_a, &pool.asset_b),
        Exact::Out => (&pool.asset_b, &pool.asset_a),
    };
    let flip = m.is_zero(asset.clone() - far.clone());
    let is_near = (M::E::ONE - flip.clone()) * (asset.clone() - near.clone());
    m.equal(is_near, M::E::ZERO, &reasons::POOL_ASSET)?;
    let other = pool.asset_a.clone() + pool.asset_b.clone() - asset;
    let exchanged = m.product(&flip, &(reserve_b.clone() - reserve_a.clone()));
    let reserve_in = reserve_a.clone() + exchanged.clone();
    let reserve_out = reserve_b.clone() - exchanged;

    let whole = M::E::from(F::from_u64(WHOLE));
    let kept = whole.clone() - pool.fee.clone();
    let otherwise = &reasons::LIQUIDITY;
    let (paid, received) = match exact {
        Exact::In => {
            let effective = m.mul_div(&amount, &kept, &whole, false, otherwise)?;
            let total = reserve_in + effective.clone();
            let received = m.mul_div(&effective, &reserve_out, &total, false, otherwise)?;
            m.nonzero(received.clone(), &reasons::NOTHING)?;
            (amount, received)
        }
        Exact::Out => {
            // What is left is an integer, as a reserve that is ranged below.
            let left = reserve_out - amount.clone();
            let effective = m.mul_div(&reserve_in, &amount, &left, true, otherwise)?;
            let paid = m.mul_div(&effective, &whole, &kept, true, otherwise)?;
            (paid, amount)
        }
    };
    let turned = m.product(&flip, &(paid.clone() + received.clone()));
    let new_a = reserve_a + paid.clone() - turned.clone();
    let new_b = reserve_b - received.clone() + turned;
    m.range(&new_a, AMOUNT_BITS, &reasons::RESERVE)?;
    m.range(&new_b, AMOUNT_BITS, &reasons::RESERVE)?;
    let after = Pool {
        reserve_a: new_a,
        reserve_b: new_b,
        ..pool
    };
    m.write(taken, after.record());
    Ok(match exact {
        Exact::In => (other, received),
        Exact::Out => (other, paid),
    })
}
