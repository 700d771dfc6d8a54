//! Statements about pools: `open`, `add`, `remove`.

use serde::Deserialize;
use shardfold_contracts::exchange::{AddLiquidity, CreatePool, Pool, RemoveLiquidity};
use shardfold_protocol::record::{Asset, Index, SHARES};

use super::error::{Fault, Wrong};
use super::form::{Amounts, Text};
use super::numbers::millionths;
use super::stage::{Stage, Statement, Stop};
use super::world::Token;

/// `open = { ETH = "1", USDC = "2000" }`, `pool = "a new name"`, and perhaps `swap_fee`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    open: Amounts,
    pool: Text,
    swap_fee: Option<Text>,
}

impl Statement for OpenForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let tokens: Vec<Token> = self
            .open
            .iter()
            .map(|(asset, amount)| {
                let (at, text) = (amount.at, asset.clone());
                stage.world.token(&Text { at, text })
            })
            .collect::<Result<_, _>>()?;
        let [a, b] = tokens.as_slice() else {
            let what = "the amounts of two assets";
            return Err(Fault::Missing { name: "open", what }.into());
        };
        let [amount_a, amount_b] = stage.world.sides(&self.open, self.pool.at, [a, b])?;
        let swap_fee = self.swap_fee.as_ref().map_or(Ok(3_000), |text| {
            millionths(&text.text, 100).map_err(|fault| text.wrong(fault))
        })?;
        let pool = stage.world.reserve();
        let from_a = stage.own(a.number)?;
        let body = CreatePool {
            pool,
            from_a,
            from_b: stage.own(b.number)?,
            to: stage.own(SHARES + Asset::from(pool))?,
            asset_a: a.number,
            asset_b: b.number,
            amount_a,
            amount_b,
            swap_fee,
            valid_until: stage.valid_until,
            fee: stage.fee(a)?,
            nonce: stage.nonce_and_balance(from_a).0,
        };
        stage.sign(&body)?;
        Ok(stage.world.name_pool(&self.pool, pool)?)
    }
}

/// `add = { ETH = "1", USDC = "2000" }`, `pool = "eth-usdc"`: at most so much of both, for as many
/// shares as that buys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddForm {
    add: Amounts,
    pool: Text,
}

impl Statement for AddForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let (index, pool, [a, b]) = pool_of(stage, &self.pool)?;
        let [max_a, max_b] = stage.world.sides(&self.add, self.pool.at, [&a, &b])?;
        let from_a = stage.own(a.number)?;
        let body = AddLiquidity {
            pool: index,
            from_a,
            from_b: stage.own(b.number)?,
            to: stage.own(SHARES + Asset::from(index))?,
            shares: shares_for(&pool, max_a, max_b),
            max_a,
            max_b,
            valid_until: stage.valid_until,
            fee: stage.fee(&a)?,
            nonce: stage.nonce_and_balance(from_a).0,
        };
        stage.sign(&body)
    }
}

/// The most shares that cost no more than this, rounded up.
fn shares_for(pool: &Pool<u64>, a: u64, b: u64) -> u64 {
    let bought = |amount: u64, reserve: u64| {
        let shares = u128::from(amount) * u128::from(pool.shares);
        shares.checked_div(u128::from(reserve)).unwrap_or(0)
    };
    let shares = bought(a, pool.reserve_a).min(bought(b, pool.reserve_b));
    u64::try_from(shares).unwrap_or(u64::MAX)
}

/// `remove = "all"` or `"50%"` of one's shares, or so many, `pool = "eth-usdc"`, and perhaps `min`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveForm {
    remove: Text,
    pool: Text,
    min: Option<Amounts>,
}

impl Statement for RemoveForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let (index, _, [a, b]) = pool_of(stage, &self.pool)?;
        let from = stage.own(SHARES + Asset::from(index))?;
        let held = stage.nonce_and_balance(from).1;
        let min = self.min.as_ref();
        let min = min.map(|min| stage.world.sides(min, self.pool.at, [&a, &b]));
        let [min_a, min_b] = min.transpose()?.unwrap_or([0, 0]);
        let to_a = stage.opened(&a)?;
        let body = RemoveLiquidity {
            pool: index,
            to_a,
            to_b: stage.own(b.number)?,
            from,
            shares: self.remove.part_of(held)?,
            min_a,
            min_b,
            valid_until: stage.valid_until,
            fee: stage.fee(&a)?,
            nonce: stage.nonce_and_balance(to_a).0,
        };
        stage.sign(&body)
    }
}

/// A pool by its name, and its assets.
fn pool_of(stage: &Stage<'_, '_>, name: &Text) -> Result<(Index, Pool<u64>, [Token; 2]), Wrong> {
    let index = stage.world.pool(name)?;
    let pool = Pool::of(&stage.record(index)).ok_or_else(|| {
        name.wrong(Fault::Unknown {
            what: "pool",
            found: name.shown(),
            expected: vec![],
        })
    })?;
    let tokens = [pool.asset_a, pool.asset_b].map(|asset| stage.world.token_of(asset));
    Ok((index, pool, tokens))
}
