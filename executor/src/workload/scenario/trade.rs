//! Swaps: `swap` of an exact amount that is paid, `buy` of one that is received.

use serde::Deserialize;
use shardfold_contracts::exchange::route::{Given, Stop as PoolStop, route};
use shardfold_contracts::exchange::swap::MAX_POOLS;
use shardfold_contracts::exchange::{SwapIn, SwapOut};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::record::{Asset, Index};

use super::error::{Fault, Wrong};
use super::form::Text;
use super::stage::{Stage, Statement, Stop};
use super::world::Token;

/// `swap = "5 ETH"`, `to = "USDC"`, and perhaps `min` and `through`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwapForm {
    swap: Text,
    to: Text,
    min: Option<Text>,
    through: Option<Vec<Text>>,
}

impl Statement for SwapForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let paid = stage.world.money(&self.swap)?;
        let received = stage.world.token(&self.to)?;
        let given = Given::In(paid.amount);
        let pools = pools(
            stage,
            self.through.as_deref(),
            [&paid.token, &received],
            given,
        )?;
        let min = self.min.as_ref();
        let min = min.map(|text| stage.world.amount(text, &received));
        let from = stage.own(paid.token.number)?;
        let body = SwapIn {
            asset_in: paid.token.number,
            amount_in: paid.amount,
            pools,
            asset_out: received.number,
            from,
            to: stage.own(received.number)?,
            min_out: min.transpose()?.unwrap_or(0),
            valid_until: stage.valid_until,
            fee: stage.fee(&paid.token)?,
            nonce: stage.nonce_and_balance(from).0,
        };
        stage.sign(&body)
    }
}

/// `buy = "100 USDC"`, `with = "ETH"`, and perhaps `max` and `through`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BuyForm {
    buy: Text,
    with: Text,
    max: Option<Text>,
    through: Option<Vec<Text>>,
}

impl Statement for BuyForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let received = stage.world.money(&self.buy)?;
        let paid = stage.world.token(&self.with)?;
        let given = Given::Out(received.amount);
        let pools = pools(
            stage,
            self.through.as_deref(),
            [&paid, &received.token],
            given,
        )?;
        let max = self.max.as_ref();
        let max = max.map(|text| stage.world.amount(text, &paid));
        let from = stage.own(paid.number)?;
        let body = SwapOut {
            asset_out: received.token.number,
            amount_out: received.amount,
            pools,
            asset_in: paid.number,
            from,
            to: stage.own(received.token.number)?,
            max_in: max.transpose()?.unwrap_or(AMOUNT_LIMIT - 1),
            valid_until: stage.valid_until,
            fee: stage.fee(&paid)?,
            nonce: stage.nonce_and_balance(from).0,
        };
        stage.sign(&body)
    }
}

/// The pools that are named, or those of the best shortest path.
fn pools(
    stage: &Stage<'_, '_>,
    named: Option<&[Text]>,
    [paid, received]: [&Token; 2],
    given: Given,
) -> Result<Vec<Index>, Wrong> {
    if let Some(named) = named {
        let count = named.len();
        if count == 0 || count > MAX_POOLS {
            let what = "the names of 1 to 3 pools";
            let name = "through";
            return Err(Fault::Missing { name, what }.into());
        }
        return named.iter().map(|name| stage.world.pool(name)).collect();
    }
    let ends = [paid.number, received.number];
    best(&stage.pools(), ends, given).ok_or_else(|| {
        let fault = Fault::NoPath {
            from: paid.name.clone(),
            to: received.name.clone(),
        };
        fault.into()
    })
}

/// The pools of a path from one asset to another: of as few pools as can be, and of those paths the
/// one that gives the most, or costs the least.
fn best(pools: &[PoolStop], [from, to]: [Asset; 2], given: Given) -> Option<Vec<Index>> {
    let mut paths: Vec<(Vec<PoolStop>, Asset)> = vec![(vec![], from)];
    for _ in 0..MAX_POOLS {
        paths = paths.iter().flat_map(|path| longer(pools, path)).collect();
        let arrived = paths.iter().filter(|(_, asset)| *asset == to);
        let arrived: Vec<&Vec<PoolStop>> = arrived.map(|(path, _)| path).collect();
        let first = arrived.first().copied();
        let quoted = arrived.iter().filter_map(|path| {
            let hops = route(path, from, given).ok()?;
            Some((hops.first()?.amount_in, hops.last()?.amount_out, *path))
        });
        let best = match given {
            Given::In(_) => quoted.max_by_key(|(_, received, _)| *received),
            Given::Out(_) => quoted.min_by_key(|(paid, ..)| *paid),
        };
        // Where no path serves the swap, the ledger says why.
        if let Some(path) = best.map(|(.., path)| path).or(first) {
            return Some(path.iter().map(|(index, _)| *index).collect());
        }
    }
    None
}

/// The paths with one pool more that does not lead back to an asset or a pool.
fn longer(
    pools: &[PoolStop],
    (path, asset): &(Vec<PoolStop>, Asset),
) -> Vec<(Vec<PoolStop>, Asset)> {
    let next = pools.iter().filter_map(|stop| {
        let (index, pool) = stop;
        let other = match *asset {
            a if a == pool.asset_a => pool.asset_b,
            b if b == pool.asset_b => pool.asset_a,
            _ => return None,
        };
        let is_back = path
            .iter()
            .any(|(passed, pool)| passed == index || [pool.asset_a, pool.asset_b].contains(&other));
        (!is_back).then(|| ([&path[..], std::slice::from_ref(stop)].concat(), other))
    });
    next.collect()
}
