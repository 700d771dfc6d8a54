//! Those who supply.

use super::*;

#[test]
fn of_a_supply() {
    let mut ledger = market();
    let mut cases = Cases::of("supply");
    let good = ledger.supply(Supplier, 10);
    cases.of_signer(&ledger, (Supplier, Supplier.loan()), |signer| Supply {
        signer,
        ..good
    });
    cases.of_receiver(&ledger, (Supplier, SHARE), |_, share_vault| Supply {
        share_vault,
        ..good
    });
    of_market(&mut cases, &ledger, Supplier, |ledger| {
        ledger.supply(Supplier, 10)
    });
    let bad = [
        (Supply { amount: 0, ..good }, &common::ZERO),
        (
            Supply {
                amount: LIMIT + 1,
                ..good
            },
            &vaults::AMOUNT,
        ),
        (
            Supply {
                amount: LIMIT,
                ..good
            },
            &vaults::BALANCE,
        ),
        (
            Supply {
                limit: 10_241,
                ..good
            },
            &common::TOO_LITTLE,
        ),
        (
            Supply {
                limit: LIMIT,
                ..good
            },
            &common::TOO_LITTLE,
        ),
        (
            Supply {
                limit: LIMIT + 1,
                ..good
            },
            &common::LIMIT,
        ),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Supplier, reason);
    }
    let mut full = ledger.clone();
    full.set(Supplier.shares(), 2, LIMIT - 10_239);
    cases.rejects(&full, &good, Supplier, &vaults::RECEIVER_BALANCE);
    let with = |sa, ss| Totals {
        sa,
        ss,
        ..Totals::default()
    };
    ledger.set_totals(with(SUPPLY_LIMIT - 10, 1 << 60));
    cases.rejects(&ledger, &good, Supplier, &supply::reasons::FULL);
    ledger.set_totals(with(SUPPLY_LIMIT - 11, 1 << 60));
    assert!(ledger.run(&good, Supplier).is_ok());
    ledger.set_totals(with(0, 1 << 60));
    cases.rejects(&ledger, &good, Supplier, &common::QUOTIENT);
    ledger.set_totals(with(0, 1 << 61));
    let one = ledger.supply(Supplier, 1);
    cases.rejects(&ledger, &one, Supplier, &common::SHARES);
    ledger.set_totals(with(0, (1 << 61) - 1_025));
    assert!(ledger.run(&one, Supplier).is_ok());
    cases.are_all_but(&[]);
}

#[test]
fn of_a_redemption() {
    let mut ledger = lent();
    let mut cases = Cases::of("redeem");
    let good = ledger.redeem(Supplier, 10_240);
    cases.of_signer(&ledger, (Supplier, Supplier.loan()), |signer| Redeem {
        signer,
        ..good
    });
    of_market(&mut cases, &ledger, Supplier, |ledger| {
        ledger.redeem(Supplier, 10_240)
    });
    let bad = [
        (Redeem { shares: 0, ..good }, &common::ZERO),
        (
            Redeem {
                shares: 1_023,
                ..good
            },
            &common::ZERO,
        ),
        (
            Redeem {
                shares: LIMIT + 1,
                ..good
            },
            &redeem::reasons::REDEEMED,
        ),
        (
            Redeem {
                shares: LIMIT,
                ..good
            },
            &common::LIQUIDITY,
        ),
        (
            Redeem {
                shares: 10_240_000,
                ..good
            },
            &common::LIQUIDITY,
        ),
        (
            Redeem {
                shares: 9_201 * 1_024,
                ..good
            },
            &common::LIQUIDITY,
        ),
        (Redeem { limit: 11, ..good }, &common::TOO_LITTLE),
        (
            Redeem {
                limit: LIMIT,
                ..good
            },
            &common::TOO_LITTLE,
        ),
        (
            Redeem {
                limit: LIMIT + 1,
                ..good
            },
            &common::LIMIT,
        ),
        (
            Redeem {
                share_vault: 9_999,
                ..good
            },
            &vaults::SENDER_MISSING,
        ),
        (
            Redeem {
                share_vault: Supplier.collateral(),
                ..good
            },
            &vaults::SENDER_ASSET,
        ),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Supplier, reason);
    }
    let all_but_lent = ledger.redeem(Supplier, 9_200 * 1_024);
    assert!(ledger.run(&all_but_lent, Supplier).is_ok());
    for element in 4..8 {
        let mut other = ledger.clone();
        other.set(Supplier.shares(), element, 5);
        cases.rejects(&other, &good, Supplier, &vaults::SENDER_OWNER);
    }
    ledger.set(Supplier.shares(), 2, 10_239);
    cases.rejects(&ledger, &good, Supplier, &vaults::BALANCE);
    ledger.set_totals(Totals {
        sa: 1 << 61,
        ..Totals::default()
    });
    let most = ledger.redeem(Supplier, LIMIT);
    cases.rejects(&ledger, &most, Supplier, &common::QUOTIENT);
    cases.are_all_but(&[]);
}
