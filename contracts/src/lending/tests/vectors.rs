//! The rules against vectors that were computed elsewhere (`contracts/tests/vectors`).
//!
//! | file | concerns a rule here | does not |
//! | --- | --- | --- |
//! | `shardfold_proposal`, from the model of the rules in big integers | `accrue`, `supply`, `withdraw`, `borrow`, `repay`, `liquidate_all`: equal to the unit | swaps, liquidity and uniform prices: the exchange's |
//! | `morpho_blue`, formulas of Morpho.sol | `shares` and `assets`: the same formula with 10^6 virtual shares, equal to the unit; `liquidation_incentive_factor`, cut to parts of a million; `bad_debt`, likewise; `accrue`: simple interest here, which is at most three units above the linear part and never above the compound one plus those; `health` and `liquidate_by_seized` that fit 62 bits at the scale 10^36 / 10^18: not to the unit, since the loan's shares need a scale of 2^62 at most | `liquidate_by_shares`: the liquidator names both here |
//! | `aave_v3` | `linear_interest`, `variable_borrow_rate` at their own kink as the bound of the formula | `compounded_interest` (interest compounds by accruals here), `scaled_balance` (no index here), `liquidation` (prices with decimals, a fixed bonus) |
//! | `compound_v2` | `accrue`, the linear part; 5 and 6, the truncated redemption, as an exploit (`exploits.rs`) | `exchange_rate_mint_redeem` 4: an exchange rate, no virtual shares |

use serde_json::Value;

use super::*;
use crate::lending::market::Side;
use crate::readings::Run;

const PROPOSAL: &str = include_str!("../../../tests/vectors/shardfold_proposal.json");
const MORPHO: &str = include_str!("../../../tests/vectors/morpho_blue.json");
const AAVE: &str = include_str!("../../../tests/vectors/aave_v3.json");
const COMPOUND: &str = include_str!("../../../tests/vectors/compound_v2.json");

/// The vectors of a file that are of these operations.
fn vectors(file: &str, operation: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    let all = file["vectors"].as_array().unwrap().iter();
    let found: Vec<_> = all
        .filter(|vector| vector["op"] == operation)
        .cloned()
        .collect();
    assert!(!found.is_empty(), "{operation}");
    found
}

/// A number, which is text, or `None` for a transaction that is left out.
fn maybe(value: &Value) -> Option<u64> {
    value.as_str().unwrap().parse().ok()
}

fn number(value: &Value) -> u64 {
    maybe(value).unwrap_or_else(|| panic!("{value}"))
}

fn big(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

fn totals(value: &Value) -> Totals {
    Totals {
        sa: number(&value["SA"]),
        ss: number(&value["SS"]),
        ba: number(&value["BA"]),
        bs: number(&value["BS"]),
        fee_shares: number(&value["fee_shares"]),
    }
}

/// A market as before, at its time, with the terms if there are any.
fn ledger(vector: &Value) -> (Ledger, Rates) {
    let mut ledger = Ledger::with_market(1 << 60);
    ledger.now = number(&vector["before"]["t"]);
    ledger.set_totals(totals(&vector["before"]));
    let mut rates = RATES;
    let terms = &vector["terms"];
    if terms.is_object() {
        let ratio = |name: &str| u32::try_from(number(&terms[name])).unwrap();
        rates = Rates {
            slope1: ratio("slope1"),
            slope2: ratio("slope2"),
            fee: ratio("fee"),
        };
        for (element, name) in [(3, "lltv"), (4, "bonus"), (5, "scale")] {
            ledger.set(MARKET + 1, element, number(&terms[name]));
        }
        ledger.set(MARKET + 1, 6, rates.packed().as_canonical_u64());
    }
    if let Some(price) = vector.get("price") {
        ledger.set_price(number(price), ledger.now);
    }
    (ledger, rates)
}

#[test]
fn accruals_are_those_of_the_model() {
    for vector in vectors(PROPOSAL, "accrue") {
        let (mut ledger, rates) = ledger(&vector);
        ledger.now = number(&vector["until"]);
        let accrue = Accrue {
            rates,
            ..ledger.accrue()
        };
        ledger.accepts(&accrue, Supplier);
        assert_eq!(ledger.totals(), totals(&vector["after"]), "{vector}");
        assert_eq!(ledger.get(MARKET, 5), ledger.now);
    }
}

#[test]
fn supplies_and_redemptions_are_those_of_the_model() {
    for vector in vectors(PROPOSAL, "supply") {
        let (mut ledger, _) = ledger(&vector);
        let assets = number(&vector["assets"]);
        ledger.accepts(&ledger.supply(Supplier, assets), Supplier);
        assert_eq!(ledger.balance(Supplier.shares()), number(&vector["shares"]));
    }
    for vector in vectors(PROPOSAL, "withdraw") {
        let (mut ledger, _) = ledger(&vector);
        ledger.vault(Supplier.shares(), SHARE, 1 << 50, Supplier.owner());
        let before = ledger.balance(Supplier.loan());
        let shares = number(&vector["shares"]);
        let result = ledger.apply(&ledger.redeem(Supplier, shares), Supplier);
        let got = ledger.balance(Supplier.loan()) - before;
        assert_eq!(
            result.is_ok().then_some(got),
            maybe(&vector["assets"]),
            "{vector}"
        );
    }
}

#[test]
fn loans_and_repayments_are_those_of_the_model() {
    for vector in vectors(PROPOSAL, "borrow") {
        let (mut ledger, _) = ledger(&vector);
        ledger.set_position(Borrower, number(&vector["collateral"]), 0);
        let assets = number(&vector["assets"]);
        let result = ledger.apply(&ledger.borrow(Borrower, assets), Borrower);
        let owed = ledger.position(Borrower).1;
        let expected = maybe(&vector["debt_shares"]);
        assert_eq!(result.is_ok().then_some(owed), expected, "{vector}");
    }
    for vector in vectors(PROPOSAL, "repay") {
        let (mut ledger, _) = ledger(&vector);
        ledger.set_position(Borrower, 0, 1 << 49);
        let before = ledger.balance(Borrower.loan());
        let shares = number(&vector["shares"]);
        ledger.accepts(&ledger.repay(Borrower, shares), Borrower);
        assert_eq!(
            before - ledger.balance(Borrower.loan()),
            number(&vector["pays"])
        );
    }
}

#[test]
fn liquidations_are_those_of_the_model() {
    for vector in vectors(PROPOSAL, "liquidate_all") {
        let (mut ledger, _) = ledger(&vector);
        let collateral = number(&vector["collateral"]);
        ledger.set_position(Borrower, collateral, number(&vector["debt_shares"]));
        let needed = number(&vector["need_shares"]);
        let (before, total) = (ledger.balance(Liquidator.loan()), ledger.totals());
        let less = ledger.liquidate(Borrower, collateral, needed - 1);
        let liquidate = ledger.liquidate(Borrower, collateral, needed);
        let expected = &vector["result"];
        if expected == "left out" {
            assert!(ledger.apply(&liquidate, Liquidator).is_err(), "{vector}");
            continue;
        }
        ledger.rejects(&less, Liquidator, &liquidate::reasons::UNDERPAID);
        ledger.accepts(&liquidate, Liquidator);
        let paid = before - ledger.balance(Liquidator.loan());
        assert_eq!(paid, number(&expected["pays"]));
        let after = ledger.totals();
        let results = [after.sa, after.ba, after.bs];
        let names = ["SA", "BA", "BS"];
        assert_eq!(
            results,
            names.map(|name| number(&expected[name])),
            "{vector}"
        );
        assert_eq!(total.sa - after.sa, number(&expected["bad_debt"]));
    }
}

/// Converts on numbers, with so many virtual shares instead of 1,024.
fn convert(
    (assets, shares): (u64, u64),
    virtual_shares: u64,
    value: u64,
    what: fn(&Side<F>, &mut Run<'_>, &F) -> crate::Rule<F>,
) -> u64 {
    let shares = shares + virtual_shares - VIRTUAL_SHARES;
    let side = Side {
        assets: F::from_u64(assets),
        shares: F::from_u64(shares),
    };
    let context = Ledger::funded(0).context();
    let prepared = Prepared {
        digests: [ZERO_DIGEST; PREPARED],
        authority: Authority::NONE,
    };
    let mut effect = Effect::default();
    let read = |_| Record::EMPTY;
    let mut run = Run::new(&[], &context, (&prepared, 0), &read, &mut effect);
    let result = what(&side, &mut run, &F::from_u64(value));
    result.unwrap().as_canonical_u64()
}

#[test]
fn shares_and_assets_are_converted_as_by_morpho() {
    const MORPHOS: u64 = 1_000_000;
    for vector in vectors(MORPHO, "shares") {
        let side = (
            number(&vector["total_assets"]),
            number(&vector["total_shares"]),
        );
        let assets = number(&vector["assets"]);
        let down = convert(side, MORPHOS, assets, |s, m, x| s.shares_for(m, x, false));
        let up = convert(side, MORPHOS, assets, |s, m, x| s.shares_for(m, x, true));
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
        let down = convert(side, MORPHOS, shares, |s, m, x| s.assets_for(m, x, false));
        let up = convert(side, MORPHOS, shares, |s, m, x| s.assets_for(m, x, true));
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
        let rounded = convert((assets, shares), 1_000_000, lost, |s, m, x| {
            s.assets_for(m, x, true)
        });
        assert_eq!(rounded.min(assets), number(&vector["bad_debt_assets"]));
    }
}

/// Interest of a market, all of which is lent at a rate a year of parts of a million, for so long.
fn interest(borrowed: u64, rate: u32, elapsed: u64) -> u64 {
    let mut ledger = Ledger::with_market(1);
    let rates = Rates {
        slope1: rate,
        slope2: 0,
        fee: 0,
    };
    ledger.set(MARKET + 1, 6, rates.packed().as_canonical_u64());
    ledger.set_totals(Totals {
        sa: borrowed,
        ba: borrowed,
        ..Totals::default()
    });
    let mut left = elapsed;
    while left > 0 {
        let step = left.min(MAX_ELAPSED);
        (ledger.now, left) = (ledger.now + step, left - step);
        let accrue = Accrue {
            rates,
            ..ledger.accrue()
        };
        ledger.accepts(&accrue, Supplier);
    }
    ledger.totals().ba - borrowed
}

/// For up to 2^24 - 1 seconds interest is Aave's linear interest, cut: less by less than one unit.
/// Longer times compound once at the cut, and stay below compound interest.
#[test]
fn interest_is_aaves_linear_interest() {
    const RAY: u128 = 10_u128.pow(27);
    let borrowed = 1_000_000_000_000;
    let compound = vectors(AAVE, "compounded_interest");
    for (vector, compound) in vectors(AAVE, "linear_interest").iter().zip(&compound) {
        let rate = big(&vector["rate"]) / 10_u128.pow(21);
        let elapsed = number(&vector["elapsed"]);
        if rate > u128::from(MAX_SLOPE1) {
            continue;
        }
        let found = u128::from(interest(borrowed, rate as u32, elapsed));
        let of = |vector: &Value| (big(&vector["factor"]) - RAY) * u128::from(borrowed) / RAY;
        let (linear, compound) = (of(vector), of(compound));
        if elapsed <= MAX_ELAPSED {
            assert!(found <= linear && linear - found <= 1, "{found} {linear}");
        } else {
            assert!(linear <= found + 2 && found <= compound, "{found} {linear}");
        }
    }
}

/// Rates are Aave's of the same shape, moved from the kink of eight tenths to nine: the first slope
/// where everything below is lent, and both where all is.
#[test]
fn rates_at_nothing_the_kink_and_all_are_aaves() {
    let rates = Rates {
        slope1: 40_000,
        slope2: 750_000,
        fee: 0,
    };
    let all = vectors(AAVE, "variable_borrow_rate");
    let rate_at = |usage: &str| {
        let of_usage =
            |vector: &&Value| vector["usage"] == format!("{usage}00000000000000000000000000");
        let vector = all.iter().find(of_usage).unwrap();
        big(&vector["rate"]) / 10_u128.pow(21)
    };
    // 10^12 · rate / 10^6, for a year in two steps that do not compound: the market is set again.
    for (borrowed, usage) in [(0, "0"), (900_000, "8"), (1_000_000, "10")] {
        let usage = if usage == "0" {
            String::from("0")
        } else {
            usage.to_owned()
        };
        let expected = if usage == "0" { 0 } else { rate_at(&usage) };
        let mut ledger = Ledger::with_market(1);
        ledger.set(MARKET + 1, 6, rates.packed().as_canonical_u64());
        let sa = 1_000_000_000_000;
        let ba = borrowed * 1_000_000 + u64::from(borrowed > 0);
        ledger.set_totals(Totals {
            sa,
            ba: ba.min(sa),
            ..Totals::default()
        });
        ledger.now += YEAR / 2;
        let accrue = Accrue {
            rates,
            ..ledger.accrue()
        };
        ledger.accepts(&accrue, Supplier);
        let found = u128::from(ledger.totals().ba - ba.min(sa));
        let expected = u128::from(ba.min(sa)) * expected / 2_000_000;
        // The utilisation is cut to parts of a million: eight of the second slope each.
        assert!(
            found <= expected && expected - found <= 4_000_000,
            "{found} {expected}"
        );
    }
}

/// Morpho's interest is compound interest to the third power: ours, at most linear between accruals, is
/// not above it by more than what cutting the rate to parts of a million gives.
#[test]
fn interest_is_morphos_but_for_higher_powers() {
    for vector in vectors(MORPHO, "accrue") {
        let per_second = big(&vector["borrow_rate_per_s"]);
        let rate = per_second * u128::from(YEAR) / 10_u128.pow(12);
        let borrowed = number(&vector["total_borrow_assets"]);
        let elapsed = number(&vector["elapsed"]);
        if rate > u128::from(MAX_SLOPE1) {
            continue;
        }
        let found = u128::from(interest(borrowed, rate as u32, elapsed));
        let expected = big(&vector["interest"]);
        let linear = u128::from(borrowed) * per_second * u128::from(elapsed) / 10_u128.pow(18);
        let cut = u128::from(borrowed) * u128::from(elapsed) / u128::from(PPM * YEAR) + 3;
        assert!(found <= expected, "{found} {expected}");
        assert!(found + cut >= linear, "{found} {linear}");
    }
}

/// Compound's interest of a step is linear too, with a rate of its own.
#[test]
fn interest_is_compounds() {
    for vector in vectors(COMPOUND, "accrue") {
        let borrows = number(&vector["borrows"]);
        // Its blocks are seconds here: a year has 31,536,000 of ours and 2,102,400 of its own.
        let per_block = big(&vector["rate_per_block"]);
        let seconds = 15 * number(&vector["blocks"]);
        let rate = per_block * 2_102_400 / 10_u128.pow(12);
        let found = u128::from(interest(borrows, rate as u32, seconds));
        let expected = big(&vector["interest"]);
        let cut = u128::from(borrows) * u128::from(seconds) / u128::from(PPM * YEAR) + 2;
        assert!(
            found <= expected + 1 && expected - found.min(expected) <= cut,
            "{vector} {found}"
        );
    }
}
