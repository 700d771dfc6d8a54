//! Liquidations.

use super::positions::odd;
use super::*;

#[test]
fn of_a_liquidation() {
    let mut ledger = lent();
    let mut cases = Cases::of("liquidate");
    // 1,000 · 0.930 · 0.86 = 799: one unit less than is owed. At 0.931 it is 800.
    ledger.set_price(931, NOW);
    let healthy = ledger.liquidate(Borrower, 10, 10 * 1_024);
    cases.rejects(&ledger, &healthy, Liquidator, &liquidate::reasons::HEALTHY);
    ledger.set_price(930, NOW);
    let good = ledger.liquidate(Borrower, 10, 10 * 1_024);
    let vault = Liquidator.loan();
    cases.of_signer(&ledger, (Liquidator, vault), |signer| Liquidate {
        signer,
        ..good
    });
    cases.of_receiver(&ledger, (Liquidator, COLLATERAL), |_, to| Liquidate {
        to,
        ..good
    });
    let liquidate = |ledger: &Ledger| ledger.liquidate(Borrower, 10, 10 * 1_024);
    of_market(&mut cases, &ledger, Liquidator, liquidate);
    of_price(&mut cases, &ledger, Liquidator, liquidate);
    of_position(&mut cases, &ledger, Liquidator, liquidate);
    let bad = [
        (Liquidate { seized: 0, ..good }, &common::ZERO),
        (Liquidate { shares: 0, ..good }, &common::ZERO),
        (
            Liquidate {
                seized: LIMIT + 1,
                ..good
            },
            &liquidate::reasons::SEIZED,
        ),
        (
            Liquidate {
                seized: LIMIT,
                ..good
            },
            &common::QUOTIENT,
        ),
        (
            Liquidate {
                shares: 10_239 - 1_024,
                ..good
            },
            &liquidate::reasons::UNDERPAID,
        ),
        (
            Liquidate {
                shares: u64::MAX,
                ..good
            },
            &liquidate::reasons::UNDERPAID,
        ),
        (
            Liquidate {
                shares: LIMIT,
                ..good
            },
            &common::DEBT,
        ),
        (
            Liquidate {
                shares: 819_201,
                ..good
            },
            &common::DEBT,
        ),
        (Liquidate { limit: 9, ..good }, &common::TOO_MUCH),
        (
            Liquidate {
                limit: u64::MAX,
                ..good
            },
            &common::TOO_MUCH,
        ),
        (Liquidate { price: 51, ..good }, &common::PRICE_INDEX),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Liquidator, reason);
    }
    assert!(
        ledger
            .run(&ledger.liquidate(Borrower, 10, 819_200), Liquidator)
            .is_ok()
    );
    // More than there is, of what is worth nothing.
    let mut worthless = ledger.clone();
    worthless.set_price(1, NOW);
    let all = worthless.liquidate(Borrower, 1_000, 1_024);
    assert!(worthless.run(&all, Liquidator).is_ok());
    let more = Liquidate {
        seized: 1_001,
        shares: 2_048,
        ..all
    };
    cases.rejects(&worthless, &more, Liquidator, &common::COLLATERAL);
    let mut full = ledger.clone();
    full.set(Liquidator.collateral(), 2, LIMIT - 9);
    cases.rejects(&full, &good, Liquidator, &vaults::RECEIVER_BALANCE);
    let mut dear = ledger.clone();
    dear.set(Borrower.position(), 2, LIMIT);
    dear.set_price((1 << 61) - 1, NOW);
    cases.rejects(&dear, &good, Liquidator, &common::VALUE);
    // Of no market that there can be.
    let totals = Totals {
        sa: 1 << 61,
        ba: 1 << 61,
        ..Totals::default()
    };
    let mut much = odd(totals, (1_000, LIMIT));
    much.set_price(930, NOW);
    cases.rejects(
        &much,
        &much.liquidate(Borrower, 10, 1),
        Liquidator,
        &common::QUOTIENT,
    );
    cases.are_all_but(&[]);
}
