//! Positions: collateral and debt.

use super::*;

/// A loan of 800 units on 1,000 at a market with other totals, and this position.
pub fn odd(totals: Totals, position: (u64, u64)) -> Ledger {
    let mut ledger = lent();
    ledger.set_totals(totals);
    ledger.set_position(Borrower, position.0, position.1);
    ledger
}

#[test]
fn of_a_posting() {
    let ledger = market();
    let mut cases = Cases::of("post");
    let good = ledger.post(Borrower, 10);
    cases.of_signer(&ledger, (Borrower, Borrower.collateral()), |signer| Post {
        signer,
        ..good
    });
    let post = |ledger: &Ledger| ledger.post(Borrower, 10);
    of_position(&mut cases, &ledger, Borrower, post);
    of_owner(&mut cases, &ledger, post);
    let bad = [
        (Post { amount: 0, ..good }, &common::ZERO),
        (
            Post {
                amount: LIMIT + 1,
                ..good
            },
            &vaults::AMOUNT,
        ),
        (
            Post {
                amount: LIMIT,
                ..good
            },
            &vaults::BALANCE,
        ),
        (
            Post {
                position: PRICE,
                ..good
            },
            &common::POSITION,
        ),
        (
            Post {
                market: 300,
                ..good
            },
            &common::TERMS,
        ),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Borrower, reason);
    }
    for element in [2, 3] {
        let mut odd = ledger.clone();
        odd.set(888, element, 1);
        let there = Post {
            position: 888,
            ..good
        };
        cases.rejects(&odd, &there, Borrower, &common::POSITION);
    }
    let full = odd(Totals::default(), (LIMIT - 9, 0));
    cases.rejects(&full, &good, Borrower, &common::COLLATERAL);
    let full = odd(Totals::default(), (LIMIT - 10, 0));
    assert!(full.run(&full.post(Borrower, 10), Borrower).is_ok());
    cases.are_all_but(&[]);
}

#[test]
fn of_a_taking_back() {
    let ledger = lent();
    let mut cases = Cases::of("take");
    let good = ledger.take(Borrower, 10);
    cases.of_signer(&ledger, (Borrower, Borrower.collateral()), |signer| Take {
        signer,
        ..good
    });
    let take = |ledger: &Ledger| ledger.take(Borrower, 10);
    of_market(&mut cases, &ledger, Borrower, take);
    of_price(&mut cases, &ledger, Borrower, take);
    of_position(&mut cases, &ledger, Borrower, take);
    of_owner(&mut cases, &ledger, take);
    let bad = [
        (Take { amount: 0, ..good }, &common::ZERO),
        (
            Take {
                amount: LIMIT + 1,
                ..good
            },
            &vaults::AMOUNT,
        ),
        (
            Take {
                amount: LIMIT,
                ..good
            },
            &vaults::BALANCE,
        ),
        (
            Take {
                amount: 1_001,
                ..good
            },
            &common::COLLATERAL,
        ),
        (Take { amount: 70, ..good }, &common::UNHEALTHY),
        (Take { price: 51, ..good }, &common::PRICE_INDEX),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Borrower, reason);
    }
    assert!(ledger.run(&ledger.take(Borrower, 69), Borrower).is_ok());
    let mut dear = lent();
    dear.set(Borrower.position(), 2, LIMIT);
    dear.set_price((1 << 61) - 1, NOW);
    cases.rejects(&dear, &dear.take(Borrower, 10), Borrower, &common::VALUE);
    // Of no market that there can be.
    let totals = Totals {
        sa: 1 << 61,
        ba: 1 << 61,
        ..Totals::default()
    };
    let much = odd(totals, (1_000, LIMIT));
    cases.rejects(&much, &much.take(Borrower, 10), Borrower, &common::QUOTIENT);
    cases.are_all_but(&[]);
}

#[test]
fn of_a_loan() {
    let ledger = lent();
    let mut cases = Cases::of("borrow");
    let good = ledger.borrow(Borrower, 10);
    cases.of_signer(&ledger, (Borrower, Borrower.loan()), |signer| Borrow {
        signer,
        ..good
    });
    let borrow = |ledger: &Ledger| ledger.borrow(Borrower, 10);
    of_market(&mut cases, &ledger, Borrower, borrow);
    of_price(&mut cases, &ledger, Borrower, borrow);
    of_position(&mut cases, &ledger, Borrower, borrow);
    of_owner(&mut cases, &ledger, borrow);
    let bad = [
        (Borrow { amount: 0, ..good }, &common::ZERO),
        (
            Borrow {
                amount: LIMIT + 1,
                ..good
            },
            &vaults::AMOUNT,
        ),
        (
            Borrow {
                amount: LIMIT,
                ..good
            },
            &vaults::BALANCE,
        ),
        (
            Borrow {
                amount: 9_201,
                ..good
            },
            &common::LIQUIDITY,
        ),
        (
            Borrow {
                amount: 9_200,
                ..good
            },
            &common::UNHEALTHY,
        ),
        (Borrow { amount: 61, ..good }, &common::UNHEALTHY),
        (
            Borrow {
                limit: 10_239,
                ..good
            },
            &common::TOO_MUCH,
        ),
        (
            Borrow {
                limit: u64::MAX,
                ..good
            },
            &common::TOO_MUCH,
        ),
        (Borrow { price: 51, ..good }, &common::PRICE_INDEX),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Borrower, reason);
    }
    // Exactly as much as may be owed, and one more than that is refused above.
    assert!(ledger.run(&ledger.borrow(Borrower, 60), Borrower).is_ok());
    let mut dear = lent();
    dear.set(Borrower.position(), 2, LIMIT);
    dear.set_price((1 << 61) - 1, NOW);
    cases.rejects(&dear, &dear.borrow(Borrower, 10), Borrower, &common::VALUE);
    let with = |bs| Totals {
        sa: 1_000,
        bs,
        ..Totals::default()
    };
    let many = odd(with(1 << 60), (1_000, 0));
    let no_quotient = many.borrow(Borrower, 10);
    cases.rejects(&many, &no_quotient, Borrower, &common::QUOTIENT);
    let many = odd(with(1 << 61), (1_000, 0));
    cases.rejects(&many, &many.borrow(Borrower, 1), Borrower, &common::SHARES);
    cases.are_all_but(&[]);
}

#[test]
fn of_a_repayment() {
    let ledger = lent();
    let mut cases = Cases::of("repay");
    let good = ledger.repay(Borrower, 10_240);
    cases.of_signer(&ledger, (Borrower, Borrower.loan()), |signer| Repay {
        signer,
        ..good
    });
    let repay = |ledger: &Ledger| ledger.repay(Borrower, 10_240);
    of_market(&mut cases, &ledger, Borrower, repay);
    of_position(&mut cases, &ledger, Borrower, repay);
    of_owner(&mut cases, &ledger, repay);
    let bad = [
        (Repay { shares: 0, ..good }, &common::ZERO),
        (
            Repay {
                shares: LIMIT + 1,
                ..good
            },
            &repay::reasons::REPAID,
        ),
        (
            Repay {
                shares: LIMIT,
                ..good
            },
            &vaults::BALANCE,
        ),
        (
            Repay {
                shares: 819_201,
                ..good
            },
            &common::DEBT,
        ),
        (Repay { limit: 9, ..good }, &common::TOO_MUCH),
        (
            Repay {
                limit: u64::MAX,
                ..good
            },
            &common::TOO_MUCH,
        ),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Borrower, reason);
    }
    assert!(ledger.run(&Repay { limit: 10, ..good }, Borrower).is_ok());
    assert!(
        ledger
            .run(&ledger.repay(Borrower, 819_200), Borrower)
            .is_ok()
    );
    // Of no market that there can be.
    let totals = Totals {
        sa: 1 << 61,
        ba: 1 << 61,
        ..Totals::default()
    };
    let much = odd(totals, (1_000, LIMIT));
    cases.rejects(
        &much,
        &much.repay(Borrower, LIMIT),
        Borrower,
        &common::QUOTIENT,
    );
    cases.are_all_but(&[]);
}
