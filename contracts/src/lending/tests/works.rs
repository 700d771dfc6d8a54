//! What works, with the numbers that it leaves.

use super::*;

/// A market with a supply of 10,000 units, and a position of 1,000 units of collateral.
pub fn market() -> Ledger {
    let mut ledger = Ledger::with_market(100_000);
    ledger.accepts(&ledger.supply(Supplier, 10_000), Supplier);
    ledger.accepts(&ledger.post(Borrower, 1_000), Borrower);
    ledger
}

/// The same, with a loan of 800.
pub fn lent() -> Ledger {
    let mut ledger = market();
    ledger.accepts(&ledger.borrow(Borrower, 800), Borrower);
    ledger
}

#[test]
fn a_market_opens_with_its_terms_and_its_fee_vault() {
    let ledger = Ledger::with_market(5);
    let numbers = |index| ledger.records[&index].0.map(|x| x.as_canonical_u64());
    assert_eq!(numbers(MARKET), [3, 0, 0, 0, 0, NOW, LOAN, 0]);
    let rates = RATES.packed().as_canonical_u64();
    let fee_vault = u64::from(Creator.shares());
    let price = u64::from(PRICE);
    assert_eq!(
        numbers(MARKET + 1),
        [
            4, COLLATERAL, price, 860_000, 1_043_841, SCALE, rates, fee_vault
        ]
    );
    let vault = ledger.records[&Creator.shares()].vault().unwrap();
    assert_eq!((vault.asset, vault.balance), (SHARE, 0));
    assert_eq!(vault.owner, Creator.owner());
}

#[test]
fn a_supply_gets_shares_and_a_redemption_gives_them_back() {
    let mut ledger = Ledger::with_market(100_000);
    ledger.fee = 3;
    ledger.accepts(&ledger.supply(Supplier, 10_000), Supplier);
    assert_eq!(ledger.balance(Supplier.shares()), 10_240_000);
    assert_eq!(ledger.balance(Supplier.loan()), 100_000 - 10_003);
    let exact = Supply {
        limit: 1_024,
        ..ledger.supply(Supplier, 1)
    };
    ledger.accepts(&exact, Supplier);
    let exact = Redeem {
        limit: 10_001,
        ..ledger.redeem(Supplier, 10_241_024)
    };
    ledger.accepts(&exact, Supplier);
    assert_eq!(ledger.balance(Supplier.loan()), 100_000 - 9);
    assert_eq!(ledger.balance(OPERATOR[0]), 9);
    assert_eq!(ledger.totals(), Totals::default());
}

#[test]
fn a_loan_is_taken_and_paid_back() {
    let mut ledger = market();
    ledger.fee = 2;
    let exact = Borrow {
        limit: 800 * 1_024,
        ..ledger.borrow(Borrower, 800)
    };
    ledger.accepts(&exact, Borrower);
    assert_eq!(ledger.position(Borrower), (1_000, 819_200));
    assert_eq!(ledger.balance(Borrower.loan()), 100_798);
    let exact = Repay {
        limit: 800,
        ..ledger.repay(Borrower, 819_200)
    };
    ledger.accepts(&exact, Borrower);
    ledger.accepts(&ledger.take(Borrower, 1_000), Borrower);
    assert_eq!(ledger.position(Borrower), (0, 0));
    assert_eq!(ledger.balance(Borrower.loan()), 99_996);
    assert_eq!(ledger.balance(Borrower.collateral()), 99_998);
    assert_eq!(ledger.balance(OPERATOR[1]), 2);
}

#[test]
fn collateral_above_the_debt_is_taken_back() {
    let mut ledger = lent();
    // 930 · 0.86 = 799.8, 931 · 0.86 = 800.66.
    ledger.rejects(
        &ledger.take(Borrower, 70),
        Borrower,
        &crate::lending::reasons::UNHEALTHY,
    );
    ledger.accepts(&ledger.take(Borrower, 69), Borrower);
    ledger.accepts(&ledger.post(Borrower, 9), Borrower);
    assert_eq!(ledger.position(Borrower), (940, 819_200));
}

#[test]
fn without_a_debt_neither_time_nor_price_matters() {
    let mut ledger = market();
    ledger.now += 100_000;
    ledger.set(PRICE, 1, 1 << 60);
    ledger.accepts(&ledger.take(Borrower, 1_000), Borrower);
    // Nor what the rest would be worth.
    ledger.set_position(Borrower, LIMIT, 0);
    ledger.accepts(&ledger.take(Borrower, 1_000), Borrower);
}

#[test]
fn interest_is_counted_and_the_fee_collected() {
    let mut ledger = lent();
    ledger.now += YEAR / 2;
    ledger.accepts(&ledger.accrue(), Supplier);
    // 8 % are lent: the rate is 3555 parts of a million, and 800 units owe 1.4 of them.
    let interest = ledger.totals().ba - 800;
    assert_eq!(interest, 1);
    assert_eq!(ledger.totals().fee_shares, 0);
    let totals = Totals {
        sa: 1_000_000,
        ss: 1_024_000_000,
        ba: 900_000,
        bs: 921_600_000,
        fee_shares: 0,
    };
    ledger.set_totals(totals);
    ledger.now += YEAR / 2;
    ledger.accepts(&ledger.accrue(), Supplier);
    let Totals {
        sa, ba, fee_shares, ..
    } = ledger.totals();
    assert_eq!((sa, ba), (1_017_999, 917_999));
    assert_eq!(
        fee_shares,
        1_799 * (1_024_000_000 + 1_024) / (1_016_200 + 1)
    );
    ledger.accepts(&ledger.collect(), Supplier);
    assert_eq!(ledger.balance(Creator.shares()), fee_shares);
    assert_eq!(ledger.totals().fee_shares, 0);
}

#[test]
fn a_long_silence_is_caught_up_in_steps() {
    let mut ledger = lent();
    ledger.now += 2 * MAX_ELAPSED + 5;
    for until in [NOW + MAX_ELAPSED, NOW + 2 * MAX_ELAPSED, ledger.now] {
        let step = Accrue {
            until,
            ..ledger.accrue()
        };
        ledger.accepts(&step, Supplier);
    }
    assert_eq!(ledger.get(MARKET, 5), ledger.now);
}

#[test]
fn a_price_opens_and_moves_by_up_to_twice() {
    let mut ledger = Ledger::funded(1);
    ledger.now += 1;
    for (index, price) in [(PRICE, 2 * SCALE), (51, LIMIT / 2), (52, 1)] {
        let price = Price {
            index,
            ..ledger.price(price)
        };
        ledger.accepts(&price, Feeder);
    }
    ledger.now += 1;
    ledger.accepts(&ledger.price(SCALE), Feeder);
    let [kind, price, time, zero, feeder @ ..] = ledger.records[&PRICE].0;
    assert_eq!(
        [kind, price, time, zero],
        [6, SCALE, NOW + 2, 0].map(F::from_u64)
    );
    assert_eq!(feeder, Feeder.owner());
}

#[test]
fn a_liquidation_takes_collateral_at_a_discount() {
    let mut ledger = lent();
    ledger.set_price(930, NOW);
    ledger.rejects(
        &ledger.liquidate(Borrower, 100, 90_000),
        Liquidator,
        &liquidate::reasons::UNDERPAID,
    );
    // 100 · 0.93 = 93, less the bonus 89.1, rounded up to 90 units.
    let exact = Liquidate {
        limit: 90,
        ..ledger.liquidate(Borrower, 100, 90 * 1_024)
    };
    ledger.accepts(&exact, Liquidator);
    assert_eq!(ledger.position(Borrower), (900, 710 * 1_024));
    assert_eq!(ledger.balance(Liquidator.collateral()), 100_100);
    assert_eq!(ledger.balance(Liquidator.loan()), 99_910);
}

#[test]
fn bad_debt_is_what_the_suppliers_lose() {
    let mut ledger = lent();
    ledger.set_price(100, NOW);
    // All 1,000 units for 100, less the bonus 96.
    ledger.accepts(&ledger.liquidate(Borrower, 1_000, 96 * 1_024), Liquidator);
    assert_eq!(ledger.position(Borrower), (0, 0));
    let expected = Totals {
        sa: 10_000 - 704,
        ss: 10_240_000,
        ..Totals::default()
    };
    assert_eq!(ledger.totals(), expected);
}

#[test]
fn the_unit_that_rounding_asks_for_too_much_is_the_suppliers() {
    let mut ledger = lent();
    // 800 units are owed for one share less than 800 · 1,024: the last shares cost one unit more.
    let mut totals = ledger.totals();
    totals.ba = 0;
    ledger.set_totals(totals);
    ledger.accepts(&ledger.repay(Borrower, 1), Borrower);
    let after = ledger.totals();
    assert_eq!((after.ba, after.sa), (0, totals.sa + 1));
}

#[test]
fn what_a_collateral_is_worth_is_rounded_down() {
    let mut ledger = Ledger::with_market(100_000);
    ledger.accepts(&ledger.supply(Supplier, 10_000), Supplier);
    ledger.accepts(&ledger.post(Borrower, 999), Borrower);
    // 999 · 1.001 = 999.999: not 1,000, of which 860 might be owed.
    ledger.set_price(1_001, NOW);
    let unhealthy = &crate::lending::reasons::UNHEALTHY;
    ledger.rejects(&ledger.borrow(Borrower, 860), Borrower, unhealthy);
    ledger.accepts(&ledger.borrow(Borrower, 859), Borrower);
}
