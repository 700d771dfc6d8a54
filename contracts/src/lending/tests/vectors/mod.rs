//! The rules against vectors that were computed elsewhere (`contracts/tests/vectors`, whose files
//! name their sources).
//!
//! | file | concerns a rule here | does not |
//! | --- | --- | --- |
//! | `shardfold_proposal`, from a model of these rules in big integers | `accrue`, `supply`, `withdraw`, `borrow`, `repay`, `liquidate_all`: to the unit | the exchange's: `create`, `add`, `remove`, swaps, `clear_uniform` |
//! | `morpho_blue`, the formulas of Morpho Blue | with its 10^6 virtual shares to the unit: `shares`, `assets`, `health`, `bad_debt`; to a part of a million: `liquidation_incentive_factor`; `liquidate_by_seized`: never less is asked for, and more by the bonus that is cut to parts of a million; `accrue`: never above it, and less only by the powers and the cut of the rate | `liquidate_by_shares`: the liquidator names both here |
//! | `aave_v3` | `linear_interest`: less by less than a unit; `variable_borrow_rate` at nothing, at the kink and at all | `compounded_interest`, but as a bound; `scaled_balance`: there is no index here; `liquidation`: decimals, and a bonus by hand; rates between, whose kink is another |
//! | `compound_v2` | `accrue`: linear between two accruals | `exchange_rate_mint_redeem`: no exchange rate here, and 5 and 6 are the hole that `exploits.rs` tries |

mod interest;
mod morpho;

use serde_json::Value;

use super::*;

const PROPOSAL: &str = include_str!("../../../../tests/vectors/shardfold_proposal.json");

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
