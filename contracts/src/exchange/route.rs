//! What a swap through several pools would give, without making it.

use shardfold_protocol::record::{Asset, Index};
use thiserror::Error;

use super::pool::{Pool, WHOLE, quote_in, quote_out};
use super::swap::MAX_POOLS;

/// A pool that is passed, and where it lies.
pub type Stop = (Index, Pool<u64>);

/// The side of a swap that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// What is paid.
    In(u64),
    /// What is received.
    Out(u64),
}

/// What one pool of a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where the pool lies.
    pub pool: Index,
    /// What is paid into it.
    pub asset_in: Asset,
    /// How much is paid.
    pub amount_in: u64,
    /// What comes out of it.
    pub asset_out: Asset,
    /// How much comes out.
    pub amount_out: u64,
    /// Its reserve of what is paid, before.
    pub reserve_in: u64,
    /// Its reserve of what comes out, before.
    pub reserve_out: u64,
    /// Its fee, in millionths of what is paid.
    pub fee: u64,
}

/// Why there is no such swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// No pools, or too many.
    #[error("found a path of {found} pools, expected 1 to {MAX_POOLS}")]
    Length {
        /// How many pools there are.
        found: usize,
    },
    /// A pool that is passed twice.
    #[error("found pool {pool} twice in the path, expected each pool once")]
    Twice {
        /// Where it lies.
        pool: Index,
    },
    /// A pool without the asset that reaches it.
    #[error(
        "found asset {asset} at pool {pool}, which is of assets {} and {}: the path does not lead on",
        of[0],
        of[1]
    )]
    Path {
        /// Where the pool lies.
        pool: Index,
        /// The asset that should be paid into it.
        asset: Asset,
        /// The pool's assets.
        of: [Asset; 2],
    },
    /// An amount that the pool cannot serve.
    #[error(
        "found that pool {pool}, with reserves of {} and {}, cannot serve a swap of {amount} of asset \
         {asset}",
        reserves[0],
        reserves[1]
    )]
    Amount {
        /// Where the pool lies.
        pool: Index,
        /// Of which asset the amount is.
        asset: Asset,
        /// How much should be swapped.
        amount: u64,
        /// The reserves of what is paid and of what comes out.
        reserves: [u64; 2],
    },
}

impl Hop {
    /// Returns by which part the amount moves the price against the trader, the fee apart: 0 for none,
    /// near 1 for all.
    #[must_use]
    pub fn price_impact(&self) -> f64 {
        let kept = (WHOLE - self.fee.min(WHOLE)) as f64 / WHOLE as f64;
        let effective = self.amount_in as f64 * kept;
        let at_price = effective * self.reserve_out as f64 / self.reserve_in as f64;
        (1.0 - self.amount_out as f64 / at_price).max(0.0)
    }
}

/// Returns by which part a swap moves prices against the trader, over all of its pools.
#[must_use]
pub fn price_impact(hops: &[Hop]) -> f64 {
    let left: f64 = hops.iter().map(|hop| 1.0 - hop.price_impact()).product();
    1.0 - left
}

/// Returns what a swap that starts with an asset does in each pool of a path, as the contracts rule it.
///
/// # Errors
/// A path that is none, or an amount that the contracts reject.
pub fn route(pools: &[Stop], asset_in: Asset, given: Given) -> Result<Vec<Hop>, RouteError> {
    let mut hops = directions(pools, asset_in)?;
    let reject = |hop: &Hop, asset, amount| RouteError::Amount {
        pool: hop.pool,
        asset,
        amount,
        reserves: [hop.reserve_in, hop.reserve_out],
    };
    match given {
        Given::In(mut amount) => {
            for hop in &mut hops {
                let out = quote_in((hop.reserve_in, hop.reserve_out), hop.fee, amount);
                let out = out.ok_or_else(|| reject(hop, hop.asset_in, amount))?;
                (hop.amount_in, hop.amount_out) = (amount, out);
                amount = out;
            }
        }
        Given::Out(mut amount) => {
            for hop in hops.iter_mut().rev() {
                let paid = quote_out((hop.reserve_in, hop.reserve_out), hop.fee, amount);
                let paid = paid.ok_or_else(|| reject(hop, hop.asset_out, amount))?;
                (hop.amount_in, hop.amount_out) = (paid, amount);
                amount = paid;
            }
        }
    }
    Ok(hops)
}

/// The hops without their amounts.
fn directions(pools: &[Stop], asset_in: Asset) -> Result<Vec<Hop>, RouteError> {
    let found = pools.len();
    if found == 0 || found > MAX_POOLS {
        return Err(RouteError::Length { found });
    }
    let mut asset = asset_in;
    let mut hops: Vec<Hop> = vec![];
    for (at, pool) in pools {
        if hops.iter().any(|hop| hop.pool == *at) {
            return Err(RouteError::Twice { pool: *at });
        }
        let of = [pool.asset_a, pool.asset_b];
        let (reserve_in, reserve_out) = pool.sides(asset).ok_or(RouteError::Path {
            pool: *at,
            asset,
            of,
        })?;
        let asset_out = if asset == of[0] { of[1] } else { of[0] };
        hops.push(Hop {
            pool: *at,
            asset_in: asset,
            amount_in: 0,
            asset_out,
            amount_out: 0,
            reserve_in,
            reserve_out,
            fee: pool.fee,
        });
        asset = asset_out;
    }
    Ok(hops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(at: Index, a: Asset, b: Asset, reserves: [u64; 2]) -> Stop {
        let pool = Pool {
            asset_a: a,
            asset_b: b,
            reserve_a: reserves[0],
            reserve_b: reserves[1],
            shares: 1 << 20,
            fee: 3_000,
        };
        (at, pool)
    }

    #[test]
    fn both_ways_meet_and_a_larger_amount_has_a_larger_impact() {
        let pools = [
            pool(9, 0, 1, [5_000_000, 9_000_000]),
            pool(4, 2, 1, [7_000_000, 3_000_000]),
        ];
        let mut last = 0.0;
        for amount in [1_000, 50_000, 4_000_000] {
            let hops = route(&pools, 0, Given::In(amount)).expect("they lead on");
            let assets = hops.iter().map(|hop| (hop.asset_in, hop.asset_out));
            assert_eq!(assets.collect::<Vec<_>>(), [(0, 1), (1, 2)]);
            let received = hops[1].amount_out;
            let back = route(&pools, 0, Given::Out(received)).expect("it is there");
            assert!(back[0].amount_in <= amount);
            assert_eq!(back[1].amount_out, received);
            assert!(price_impact(&hops) > last, "{hops:?}");
            last = price_impact(&hops);
        }
    }

    #[test]
    fn what_is_no_path_is_named() {
        let pools = [pool(9, 0, 1, [500, 900]), pool(4, 2, 3, [700, 300])];
        let found = route(&pools, 0, Given::In(10)).expect_err("it ends at 1");
        let expected = RouteError::Path {
            pool: 4,
            asset: 1,
            of: [2, 3],
        };
        assert_eq!(found, expected);
        let twice = [pools[0].clone(), pools[0].clone()];
        let found = route(&twice, 0, Given::In(10)).expect_err("it is passed twice");
        assert_eq!(found, RouteError::Twice { pool: 9 });
        for found in [0, 4] {
            let pools = vec![pools[0].clone(); found];
            let error = route(&pools, 0, Given::In(10)).expect_err("its length");
            assert_eq!(error, RouteError::Length { found });
        }
        let error = route(&pools[..1], 0, Given::Out(900)).expect_err("all of it");
        assert!(
            error.to_string().contains("cannot serve a swap of 900"),
            "{error}"
        );
    }
}
