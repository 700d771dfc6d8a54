//! Statements about a market: `supply`, `redeem`, `post`, `take`, `borrow`, `repay`, `liquidate`.
//! Interest is counted up to the statement's time before each of them.

use p3_field::PrimeField64;
use serde::Deserialize;
use shardfold_contracts::lending::{
    Borrow, Liquidate, PPM, Post, Redeem, Repay, Supply, Take, VIRTUAL_ASSETS, VIRTUAL_SHARES,
};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::record::{Asset, Index, SHARES};

use super::form::Text;
use super::markets::{accrue, signer};
use super::stage::{Stage, Statement, Stop};
use super::world::Market;

/// No limit.
const ANY: u64 = AMOUNT_LIMIT - 1;

/// A market by its name, with its interest counted.
fn market(stage: &mut Stage<'_, '_>, name: &Text) -> Result<Market, Stop> {
    let market = stage.world.market(name)?;
    accrue(stage, &market)?;
    Ok(market)
}

/// An element of a record, as an integer.
fn element(stage: &Stage<'_, '_>, index: Index, position: usize) -> u64 {
    stage.record(index).0[position].as_canonical_u64()
}

/// Assets that are borrowed of a market, and their shares, with the virtual ones.
fn borrowed(stage: &Stage<'_, '_>, market: &Market) -> (u128, u128) {
    let assets = u128::from(element(stage, market.index, 3)) + u128::from(VIRTUAL_ASSETS);
    let shares = u128::from(element(stage, market.index, 4)) + u128::from(VIRTUAL_SHARES);
    (assets, shares)
}

/// An integer that no rule accepts if it is too large for one.
fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// `supply = "1000 USDC"`, `market = "eth-market"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplyForm {
    supply: Text,
    market: Text,
}

impl Statement for SupplyForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let body = Supply {
            market: market.index,
            share_vault: stage.own(SHARES + Asset::from(market.index))?,
            amount: stage.world.amount(&self.supply, &market.loan)?,
            limit: 0,
            signer: signer(stage, &market.loan)?,
        };
        stage.sign(&body)
    }
}

/// `redeem = "all"` or `"50%"` of one's shares, or so many, `market = "eth-market"`, perhaps `min`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedeemForm {
    redeem: Text,
    market: Text,
    min: Option<Text>,
}

impl Statement for RedeemForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let share_vault = stage.own(SHARES + Asset::from(market.index))?;
        let held = stage.nonce_and_balance(share_vault).1;
        let min = self.min.as_ref();
        let min = min.map(|text| stage.world.amount(text, &market.loan));
        let body = Redeem {
            market: market.index,
            share_vault,
            shares: self.redeem.part_of(held)?,
            limit: min.transpose()?.unwrap_or(0),
            signer: signer(stage, &market.loan)?,
        };
        stage.sign(&body)
    }
}

/// `post = "1 ETH"`, `market = "eth-market"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PostForm {
    post: Text,
    market: Text,
}

impl Statement for PostForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = stage.world.market(&self.market)?;
        let who = stage.who()?;
        let body = Post {
            market: market.index,
            position: stage.world.position(who, market.index),
            amount: stage.world.amount(&self.post, &market.collateral)?,
            signer: signer(stage, &market.collateral)?,
        };
        stage.sign(&body)
    }
}

/// `take = "0.5 ETH"`, `market = "eth-market"`: collateral comes back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeForm {
    take: Text,
    market: Text,
}

impl Statement for TakeForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let who = stage.who()?;
        let body = Take {
            market: market.index,
            position: stage.world.position(who, market.index),
            price: market.price,
            amount: stage.world.amount(&self.take, &market.collateral)?,
            signer: signer(stage, &market.collateral)?,
        };
        stage.sign(&body)
    }
}

/// `borrow = "500 USDC"`, `market = "eth-market"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BorrowForm {
    borrow: Text,
    market: Text,
}

impl Statement for BorrowForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let who = stage.who()?;
        let body = Borrow {
            market: market.index,
            position: stage.world.position(who, market.index),
            price: market.price,
            amount: stage.world.amount(&self.borrow, &market.loan)?,
            limit: ANY,
            signer: signer(stage, &market.loan)?,
        };
        stage.sign(&body)
    }
}

/// `repay = "100 USDC"` at most, or `"all"`, `market = "eth-market"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RepayForm {
    repay: Text,
    market: Text,
}

impl Statement for RepayForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let who = stage.who()?;
        let position = stage.world.position(who, market.index);
        let (shares, limit) = match self.repay.text.trim() {
            "all" => (element(stage, position, 3), ANY),
            _ => {
                let amount = stage.world.amount(&self.repay, &market.loan)?;
                let (assets, all) = borrowed(stage, &market);
                // As many as cost no more than this, rounded up.
                (narrow(u128::from(amount) * all / assets), amount)
            }
        };
        let body = Repay {
            market: market.index,
            position,
            shares,
            limit,
            signer: signer(stage, &market.loan)?,
        };
        stage.sign(&body)
    }
}

/// `liquidate = "bob"`, `market = "eth-market"`, `seize = "1 ETH"` or `"all"`, perhaps `max`: as many
/// shares of his debt are paid as that is worth, less the bonus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiquidateForm {
    liquidate: Text,
    market: Text,
    seize: Text,
    max: Option<Text>,
}

impl Statement for LiquidateForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = market(stage, &self.market)?;
        let whose = stage.world.who(&self.liquidate)?;
        let position = stage.world.position(whose, market.index);
        let seized = match self.seize.text.trim() {
            "all" => element(stage, position, 2),
            _ => stage.world.amount(&self.seize, &market.collateral)?,
        };
        let max = self.max.as_ref();
        let max = max.map(|text| stage.world.amount(text, &market.loan));
        let body = Liquidate {
            market: market.index,
            position,
            price: market.price,
            to: stage.own(market.collateral.number)?,
            seized,
            shares: needed(stage, &market, seized),
            limit: max.transpose()?.unwrap_or(ANY),
            signer: signer(stage, &market.loan)?,
        };
        stage.sign(&body)
    }
}

/// The shares of the debt that a collateral is worth at its price, less the bonus, each time rounded up:
/// the least that a liquidator pays.
fn needed(stage: &Stage<'_, '_>, market: &Market, seized: u64) -> u64 {
    let price = element(stage, market.price, 1);
    let terms = |position| element(stage, market.index + 1, position).max(1);
    let (bonus, scale) = (terms(4), terms(5));
    let worth = (u128::from(seized) * u128::from(price)).div_ceil(u128::from(scale));
    let due = worth.saturating_mul(u128::from(PPM));
    let due = due.div_ceil(u128::from(bonus));
    let (assets, shares) = borrowed(stage, market);
    narrow(due.saturating_mul(shares).div_ceil(assets))
}
