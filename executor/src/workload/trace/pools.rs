//! The pools of an import: one for each pair that is swapped, with reserves that serve the swaps at
//! about the prices that their limits say.

use std::collections::HashMap;

use shardfold_contracts::exchange::{Pool, quote_in};
use shardfold_protocol::record::{Asset, Index};

use super::Movement;
use super::assets::{AssetPlan, DEPTH};

/// What swaps pay, in millionths: as in Uniswap v2.
const FEE: u64 = 3_000;
/// The least that a pool holds of a side.
const LEAST: u64 = 1 << 20;
/// The most that a pool holds of a side.
const MOST: u64 = 1 << 61;
/// How much better than the limits the first price is, in hundredths: fee and depth cost less.
const BETTER: u128 = 105;

/// A pool as it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolPlan {
    /// Where it lies in the state.
    pub index: Index,
    /// The lower number of its assets.
    pub asset_a: Asset,
    /// The higher one.
    pub asset_b: Asset,
    /// What it holds of each.
    pub reserves: [u64; 2],
    /// What swaps pay, in millionths.
    pub fee: u64,
}

impl PoolPlan {
    /// Returns the pool, of whose shares nobody has any.
    #[must_use]
    pub fn pool(&self) -> Pool<u64> {
        let [reserve_a, reserve_b] = self.reserves;
        let shares = (u128::from(reserve_a) * u128::from(reserve_b)).isqrt();
        Pool {
            asset_a: self.asset_a,
            asset_b: self.asset_b,
            reserve_a,
            reserve_b,
            shares: u64::try_from(shares).unwrap_or(u64::MAX),
            fee: FEE,
        }
    }
}

/// The pools while the swaps are played.
pub(super) struct Pools {
    positions: HashMap<[usize; 2], usize>,
    opened: Vec<PoolPlan>,
    /// What each holds now.
    reserves: Vec<[u64; 2]>,
}

/// How many times the middle price an ask may be to count.
const FAR: f64 = 1.25;

/// What the swaps of a pair ask for.
#[derive(Default)]
struct Asked {
    /// Paid of either side, all together.
    paid: [u64; 2],
    /// What is paid and what must be received for it, by the side paid.
    asks: [Vec<(u64, u64)>; 2],
}

impl Pools {
    /// Opens a pool for each pair of assets that is swapped.
    pub fn new(
        movements: &[Movement],
        assets: &[AssetPlan],
        number_of: impl Fn(&str) -> usize,
    ) -> Self {
        let mut order: Vec<[usize; 2]> = Vec::new();
        let mut asked: HashMap<[usize; 2], Asked> = HashMap::new();
        for movement in movements {
            let Some(swap) = &movement.swap else { continue };
            let (of_in, of_out) = (number_of(&movement.asset), number_of(&swap.asset));
            let amount = assets[of_in].units(&movement.amount);
            let least = assets[of_out].units(&swap.least);
            let pair = pair(of_in, of_out);
            if of_in != of_out {
                let asked = asked.entry(pair).or_insert_with(|| {
                    order.push(pair);
                    Asked::default()
                });
                asked.note(usize::from(of_in == pair[1]), amount, least);
            }
        }
        let opened = order.iter().map(|&[a, b]| PoolPlan {
            index: 0,
            asset_a: a as Asset,
            asset_b: b as Asset,
            reserves: asked[&[a, b]].reserves(),
            fee: FEE,
        });
        let opened: Vec<PoolPlan> = opened.collect();
        Self {
            positions: order.into_iter().zip(0..).collect(),
            reserves: opened.iter().map(|pool| pool.reserves).collect(),
            opened,
        }
    }

    /// The pool of a pair, and what it gives for an amount.
    pub fn swap(&self, of_in: usize, of_out: usize, amount: u64) -> (usize, Option<u64>) {
        let pair = pair(of_in, of_out);
        let position = self.positions[&pair];
        let [a, b] = self.reserves[position];
        let sides = if of_in == pair[0] { (a, b) } else { (b, a) };
        (position, quote_in(sides, FEE, amount))
    }

    /// Notes a swap.
    pub fn serve(&mut self, position: usize, of_in: usize, amount: u64, got: u64) {
        let is_a = self.opened[position].asset_a == of_in as Asset;
        let [a, b] = &mut self.reserves[position];
        let (paid_into, paid_out) = if is_a { (a, b) } else { (b, a) };
        *paid_into += amount;
        *paid_out -= got;
    }

    /// The pools, which lie in the state from this index on.
    pub fn opened(self, start: usize) -> Vec<PoolPlan> {
        let pools = self.opened.into_iter().zip(start..);
        let placed = pools.map(|(pool, index)| PoolPlan {
            index: index as Index,
            ..pool
        });
        placed.collect()
    }
}

/// About the geometric mean of two fractions, as one.
fn middle((b0, a0): (u128, u128), (b1, a1): (u128, u128)) -> (u128, u128) {
    let mean = (b0 as f64 / a0 as f64 * (b1 as f64 / a1 as f64)).sqrt();
    let scale = f64::from(1 << 30);
    if mean >= 1.0 {
        ((mean * scale) as u128, 1 << 30)
    } else {
        (1 << 30, (scale / mean) as u128)
    }
}

fn pair(one: usize, other: usize) -> [usize; 2] {
    [one.min(other), one.max(other)]
}

impl Asked {
    fn note(&mut self, side: usize, amount: u64, least: u64) {
        self.paid[side] = self.paid[side].saturating_add(amount);
        if amount > 0 && least > 0 {
            self.asks[side].push((amount, least));
        }
    }

    /// The dearest ask of a side that is not far above the middle one: one absurd limit is no price.
    fn best(&self, side: usize) -> Option<(u64, u64)> {
        let price = |(paid, received): &(u64, u64)| *received as f64 / *paid as f64;
        let mut asks = self.asks[side].clone();
        asks.sort_by(|a, b| price(a).total_cmp(&price(b)));
        let middle = price(asks.get(asks.len().saturating_sub(1) / 2)?);
        let near = |ask: &&(u64, u64)| price(ask) <= middle * FAR;
        asks.iter().rfind(near).copied()
    }

    /// Reserves at a price that is better than what the dearest swap of one direction asks for; of
    /// both, in the middle between them.
    fn reserves(&self) -> [u64; 2] {
        // The price of a in b, as a fraction b / a.
        let better =
            |(paid, received): (u64, u64)| (u128::from(received) * BETTER, u128::from(paid) * 100);
        let from_a = self.best(0).map(better);
        let from_b = self.best(1).map(better).map(|(a, b)| (b, a));
        let (b, a) = match (from_a, from_b) {
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(other)) => middle(one, other),
            (None, None) => (1, 1),
        };
        let deep = |side: usize| u128::from(self.paid[side].saturating_mul(DEPTH).max(LEAST));
        let of = |amount: u128, up: u128, down: u128| amount.saturating_mul(up) / down.max(1);
        let (most, reserve_a) = (u128::from(MOST), deep(0));
        let reserve_a = reserve_a.max(of(deep(1), a, b)).min(most);
        let reserve_b = of(reserve_a, b, a);
        let (reserve_a, reserve_b) = if reserve_b > most {
            (of(most, a, b), most)
        } else {
            (reserve_a, reserve_b)
        };
        [reserve_a, reserve_b].map(|reserve| u64::try_from(reserve.max(1_024)).unwrap_or(MOST))
    }
}
