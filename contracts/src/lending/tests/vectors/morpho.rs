//! Shares, health and liquidations, as Morpho Blue counts them.

use super::*;
use crate::lending::health::Health;
use crate::lending::market::Side;
use crate::lending::terms::Terms;
use crate::readings::Run;

pub const MORPHO: &str = include_str!("../../../../tests/vectors/morpho_blue.json");

/// Shares that the market of a vector has, so that with our virtual ones they are as many as there with
/// Morpho's million.
fn shares_of(shares: u64) -> u64 {
    shares + 1_000_000 - VIRTUAL_SHARES
}

/// Runs a part of a rule on numbers.
fn on_numbers<T>(what: impl FnOnce(&mut Run<'_>) -> crate::Rule<T>) -> T {
    let context = Ledger::funded(0).context();
    let prepared = Prepared {
        digests: [ZERO_DIGEST; PREPARED],
        authority: Authority::NONE,
    };
    let mut effect = Effect::default();
    let read = |_| Record::EMPTY;
    let mut run = Run::new(&[], &context, (&prepared, 0), &read, &mut effect);
    what(&mut run).unwrap_or_else(|reject| panic!("{reject}"))
}

/// Converts what is in a side of a market.
fn convert(
    (assets, shares): (u64, u64),
    value: u64,
    what: fn(&Side<F>, &mut Run<'_>, &F) -> crate::Rule<F>,
) -> u64 {
    let side = Side {
        assets: F::from_u64(assets),
        shares: F::from_u64(shares_of(shares)),
    };
    on_numbers(|m| what(&side, m, &F::from_u64(value))).as_canonical_u64()
}

#[test]
fn shares_and_assets_are_converted_as_by_morpho() {
    for vector in vectors(MORPHO, "shares") {
        let side = (
            number(&vector["total_assets"]),
            number(&vector["total_shares"]),
        );
        let assets = number(&vector["assets"]);
        let down = convert(side, assets, |s, m, x| s.shares_for(m, x, false));
        let up = convert(side, assets, |s, m, x| s.shares_for(m, x, true));
        let expected = (
            number(&vector["to_shares_down"]),
            number(&vector["to_shares_up"]),
        );
        assert_eq!((down, up), expected, "{vector}");
    }
    for vector in vectors(MORPHO, "assets") {
        let side = (
            number(&vector["total_assets"]),
            number(&vector["total_shares"]),
        );
        let shares = number(&vector["shares"]);
        let down = convert(side, shares, |s, m, x| s.assets_for(m, x, false));
        let up = convert(side, shares, |s, m, x| s.assets_for(m, x, true));
        let expected = (
            number(&vector["to_assets_down"]),
            number(&vector["to_assets_up"]),
        );
        assert_eq!((down, up), expected, "{vector}");
    }
}

#[test]
fn the_bonus_is_morphos_cut_to_parts_of_a_million() {
    for vector in vectors(MORPHO, "liquidation_incentive_factor") {
        let lltv = big(&vector["lltv"]) / 1_000_000_000_000;
        let mut ledger = Ledger::funded(10);
        let body = CreateMarket {
            lltv: u32::try_from(lltv).unwrap(),
            ..ledger.create_market()
        };
        ledger.accepts(&body, Creator);
        let factor = big(&vector["factor"]) / 1_000_000_000_000;
        assert_eq!(u128::from(ledger.get(MARKET + 1, 4)), factor, "{vector}");
    }
}

/// What is written off of a debt is what Morpho's formula says, with its virtual shares; the shares that are
/// paid first cost nothing there.
#[test]
fn bad_debt_is_morphos() {
    for vector in vectors(MORPHO, "bad_debt") {
        let assets = number(&vector["total_borrow_assets"]);
        let shares = number(&vector["total_borrow_shares"]);
        let lost = number(&vector["bad_debt_shares"]);
        let rounded = convert((assets, shares), lost, |s, m, x| s.assets_for(m, x, true));
        assert_eq!(rounded.min(assets), number(&vector["bad_debt_assets"]));
    }
}

/// A price of 36 digits after the point, more than 128 bits hold, as a price and a scale.
fn price_of(vector: &Value) -> (u64, u64) {
    let price = vector["price"].as_str().unwrap();
    let zeros = |count: usize| price.strip_suffix("0".repeat(count).as_str());
    match zeros(36) {
        Some(whole) => (whole.parse().unwrap(), 1),
        None => (zeros(27).unwrap().parse().unwrap(), 1_000_000_000),
    }
}

fn ppm(value: &Value) -> u64 {
    (big(value) / 10_u128.pow(12)) as u64
}

#[test]
fn health_is_morphos() {
    for vector in vectors(MORPHO, "health") {
        let (price, scale) = price_of(&vector);
        let terms = Terms {
            collateral: F::ZERO,
            lltv: F::from_u64(ppm(&vector["lltv"])),
            bonus: F::ZERO,
            scale: F::from_u64(scale),
        };
        let borrowed = Side {
            assets: F::from_u64(number(&vector["total_borrow_assets"])),
            shares: F::from_u64(shares_of(number(&vector["total_borrow_shares"]))),
        };
        let [collateral, debt] =
            ["collateral", "borrow_shares"].map(|name| F::from_u64(number(&vector[name])));
        let price = F::from_u64(price);
        let health =
            on_numbers(|m| Health::of(m, (&collateral, &price, &terms), (&debt, &borrowed)));
        let found = [health.may, health.owes].map(|x| x.as_canonical_u64());
        let expected = ["max_borrow", "borrowed"].map(|name| number(&vector[name]));
        assert_eq!(found, expected, "{vector}");
        assert_eq!(vector["healthy"].as_bool(), Some(found[0] >= found[1]));
    }
}

#[test]
fn a_liquidation_asks_for_no_less_than_morphos() {
    let mut liquidated = 0;
    let pairs = vectors(MORPHO, "health")
        .into_iter()
        .zip(vectors(MORPHO, "liquidate_by_seized"));
    for (health, vector) in pairs {
        let mut ledger = Ledger::funded(10);
        let (price, scale) = price_of(&vector);
        let body = CreateMarket {
            lltv: ppm(&vector["lltv"]) as u32,
            scale,
            ..ledger.create_market()
        };
        ledger.accepts(&body, Creator);
        ledger.set_price(price, NOW);
        let assets = number(&vector["total_borrow_assets"]);
        ledger.set_totals(Totals {
            sa: assets,
            ba: assets,
            bs: shares_of(number(&vector["total_borrow_shares"])),
            ..Totals::default()
        });
        ledger.set_position(
            Borrower,
            number(&health["collateral"]),
            number(&health["borrow_shares"]),
        );
        ledger.vault(Liquidator.loan(), LOAN, LIMIT, Liquidator.owner());
        let seized = number(&vector["seized"]);
        let needed = search::needed(&ledger, seized).unwrap();
        let morphos = number(&vector["repaid_shares"]);
        // The bonus is cut to a part of a million, of at least 10^6 of them.
        assert!(morphos <= needed && needed - morphos <= morphos / 1_000_000 + 2_000_000);
        if vector_is_healthy(&health) {
            continue;
        }
        let with = |shares| ledger.liquidate(Borrower, seized, shares);
        ledger.rejects(
            &with(needed - 1),
            Liquidator,
            &liquidate::reasons::UNDERPAID,
        );
        assert!(ledger.run(&with(needed), Liquidator).is_ok());
        liquidated += 1;
    }
    assert!(liquidated > 0);
}

fn vector_is_healthy(health: &Value) -> bool {
    health["healthy"].as_bool().unwrap()
}
