//! Feeds and markets: how they are opened, and what is said of them later: `price`, `accrue`,
//! `collect`.

use serde::Deserialize;
use shardfold_contracts::lending::{
    Accrue, Collect, CreateMarket, MAX_ELAPSED, Price, Rates, Signer,
};
use shardfold_protocol::record::{Asset, SHARES};

use p3_field::PrimeField64;

use super::error::{Fault, Wrong};
use super::form::{FeedForm, MarketForm, Text};
use super::numbers::millionths;
use super::stage::{Stage, Statement, Stop};
use super::world::{Feed, Market, Token};

impl Statement for FeedForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        stage.world.check_name(&self.name)?;
        let money = stage.world.money(&self.price)?;
        let feed = Feed {
            name: self.name.text.clone(),
            index: stage.world.reserve(),
            of: stage.who()?,
            base: stage.world.token(&self.asset)?,
            quote: money.token,
        };
        say(stage, &feed, money.amount)?;
        stage.world.feeds.push(feed);
        Ok(())
    }
}

/// `price = "2500"`, `feed = "eth-usd"`; by whoever has the feed, if the statement does not say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceForm {
    price: Text,
    feed: Text,
}

impl Statement for PriceForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let feed = stage.world.feed(&self.feed)?;
        let price = stage.world.amount(&self.price, &feed.quote)?;
        stage.who.get_or_insert(feed.of);
        say(stage, &feed, price)
    }
}

/// The feeder says a price as of now.
fn say(stage: &mut Stage<'_, '_>, feed: &Feed, price: u64) -> Result<(), Stop> {
    let body = Price {
        index: feed.index,
        price,
        time: stage.time,
        feeder: stage.world.person(feed.of).owner,
    };
    stage.sign(&body)
}

impl Statement for MarketForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        stage.world.check_name(&self.name)?;
        let feed = stage.world.feed(&self.feed)?;
        let [loan, collateral] = [&self.loan, &self.collateral].map(|name| stage.world.token(name));
        let (loan, collateral) = (loan?, collateral?);
        if (&feed.base, &feed.quote) != (&collateral, &loan) {
            return Err(Stop::from(self.feed.wrong(Fault::OtherAsset {
                found: format!(
                    "{}, a price of {} in {}",
                    feed.name, feed.base.name, feed.quote.name
                ),
                expected: format!("{} in {}", collateral.name, loan.name),
            })));
        }
        let lltv = parts(Some(&self.lltv))?;
        let rates = Rates {
            slope1: parts(self.rate.as_ref())?,
            slope2: parts(self.steep.as_ref())?,
            fee: parts(self.fee.as_ref())?,
        };
        let scale = whole(&collateral).ok_or_else(|| {
            self.collateral.wrong(Fault::TooLarge {
                found: "1".to_owned(),
                asset: collateral.name.clone(),
                decimals: collateral.decimals,
            })
        })?;
        // The terms lie after the market.
        let index = stage.world.reserve();
        stage.world.reserve();
        let fees = stage.own(SHARES + Asset::from(index))?;
        let signer = signer(stage, &loan)?;
        let body = CreateMarket {
            market: index,
            loan: loan.number,
            collateral: collateral.number,
            price: feed.index,
            share_vault: fees,
            lltv,
            scale,
            rates,
            signer,
        };
        stage.sign(&body)?;
        stage.world.markets.push(Market {
            name: self.name.text.clone(),
            index,
            loan,
            collateral,
            price: feed.index,
            fees,
            rates,
        });
        Ok(())
    }
}

/// Millionths of a percentage; none if there is none.
fn parts(text: Option<&Text>) -> Result<u32, Wrong> {
    let Some(text) = text else {
        return Ok(0);
    };
    let parts = millionths(&text.text, 400).map_err(|fault| text.wrong(fault))?;
    Ok(u32::try_from(parts).unwrap_or(u32::MAX))
}

/// The units of one whole of an asset, below 2^62.
fn whole(token: &Token) -> Option<u64> {
    let units = 10_u64.checked_pow(token.decimals)?;
    (units < shardfold_protocol::amount::AMOUNT_LIMIT).then_some(units)
}

/// The actor's vault of an asset, which signs, and is opened where none is.
pub(super) fn signer(stage: &mut Stage<'_, '_>, token: &Token) -> Result<Signer, Stop> {
    let vault = stage.opened(token)?;
    Ok(Signer {
        vault,
        nonce: stage.nonce_and_balance(vault).0,
        valid_until: stage.valid_until,
        fee: stage.fee(token)?,
    })
}

/// Counts a market's interest up to now: what comes after it needs that.
pub(super) fn accrue(stage: &mut Stage<'_, '_>, market: &Market) -> Result<(), Stop> {
    loop {
        let record = stage.record(market.index);
        let time = record.0[5].as_canonical_u64();
        if record.is_empty() || time >= stage.time {
            return Ok(());
        }
        let body = Accrue {
            market: market.index,
            until: stage.time.min(time.saturating_add(MAX_ELAPSED)),
            rates: market.rates,
        };
        stage.unsigned(&body)?;
    }
}

/// `accrue = "eth-market"`: interest is counted; other statements do it by themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccrueForm {
    accrue: Text,
}

impl Statement for AccrueForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = stage.world.market(&self.accrue)?;
        accrue(stage, &market)
    }
}

/// `collect = "eth-market"`: the market's fee goes to its owner.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectForm {
    collect: Text,
}

impl Statement for CollectForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let market = stage.world.market(&self.collect)?;
        accrue(stage, &market)?;
        let body = Collect {
            market: market.index,
            share_vault: market.fees,
        };
        stage.unsigned(&body)
    }
}
