//! Prices and markets.

use super::*;

#[test]
fn of_a_price() {
    use price::reasons;
    let mut ledger = Ledger::funded(1);
    ledger.now += 1 << 16;
    let mut cases = Cases::of("price");
    let good = ledger.price(SCALE);
    let at = |price, time| Price {
        price,
        time,
        ..good
    };
    let owner = &crate::machine::reasons::OWNER;
    cases.rejects(&ledger, &good, Borrower, owner);
    for price in [0, 1 << 61, LIMIT, LIMIT + 1] {
        cases.rejects(&ledger, &at(price, ledger.now), Feeder, &reasons::PRICE);
    }
    assert!(
        ledger
            .run(&at(SCALE, ledger.now - (1 << 16) + 1), Feeder)
            .is_ok()
    );
    for time in [ledger.now + 1, ledger.now - (1 << 16)] {
        cases.rejects(&ledger, &at(SCALE, time), Feeder, &reasons::DELAY);
    }
    for price in [SCALE / 2 - 1, 2 * SCALE + 1, LIMIT / 2] {
        cases.rejects(&ledger, &at(price, ledger.now), Feeder, &reasons::STEP);
    }
    for price in [SCALE / 2, 2 * SCALE] {
        assert!(ledger.run(&at(price, ledger.now), Feeder).is_ok());
    }
    let mut later = ledger.clone();
    later.set(PRICE, 2, ledger.now);
    cases.rejects(&later, &good, Feeder, &reasons::ORDER);
    let elsewhere = Price {
        index: Borrower.loan(),
        ..good
    };
    cases.rejects(&ledger, &elsewhere, Feeder, &reasons::KIND);
    for (element, value) in [(1, 5), (2, 5), (3, 5)] {
        let mut odd = ledger.clone();
        odd.set(51, element, value);
        let there = Price { index: 51, ..good };
        cases.rejects(&odd, &there, Feeder, &reasons::KIND);
    }
    let mine = Price {
        feeder: Borrower.owner(),
        ..good
    };
    cases.rejects(&ledger, &mine, Borrower, &reasons::FEEDER);
    cases.are_all_but(&[]);
}

#[test]
fn of_an_opening() {
    use create_market::reasons;
    let ledger = Ledger::funded(100);
    let mut cases = Cases::of("create_market");
    let good = ledger.create_market();
    cases.of_signer(&ledger, (Creator, Creator.loan()), |signer| CreateMarket {
        signer,
        ..good
    });
    cases.of_receiver(&ledger, (Creator, SHARE), |_, share_vault| CreateMarket {
        share_vault,
        ..good
    });
    let rates = |slope1, slope2, fee| CreateMarket {
        rates: Rates {
            slope1,
            slope2,
            fee,
        },
        ..good
    };
    let bad = [
        (CreateMarket { lltv: 0, ..good }, &reasons::LLTV_ZERO),
        (
            CreateMarket {
                lltv: 980_001,
                ..good
            },
            &reasons::LLTV,
        ),
        (
            CreateMarket {
                lltv: u32::MAX,
                ..good
            },
            &reasons::LLTV,
        ),
        (CreateMarket { scale: 0, ..good }, &reasons::SCALE_ZERO),
        (
            CreateMarket {
                scale: LIMIT + 1,
                ..good
            },
            &reasons::SCALE,
        ),
        (
            CreateMarket {
                collateral: LOAN,
                ..good
            },
            &reasons::ONE_ASSET,
        ),
        (
            CreateMarket {
                market: MARKET_LIMIT,
                ..good
            },
            &reasons::MARKET_INDEX,
        ),
        (
            CreateMarket {
                market: Supplier.loan() - 1,
                ..good
            },
            &reasons::TAKEN,
        ),
        (
            CreateMarket {
                market: PRICE,
                ..good
            },
            &reasons::TAKEN,
        ),
        (CreateMarket { price: 999, ..good }, &common::PRICE_KIND),
        (rates(1 << 20, 0, 0), &common::SLOPE),
        (rates(0, 1 << 22, 0), &common::SLOPE),
        (rates(0, 0, 250_001), &common::MARKET_FEE),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Creator, reason);
    }
    let most = CreateMarket {
        lltv: 980_000,
        scale: LIMIT,
        market: MARKET_LIMIT - 1,
        ..rates((1 << 20) - 1, (1 << 22) - 1, 250_000)
    };
    for body in [
        most,
        CreateMarket {
            lltv: 1,
            scale: 1,
            ..rates(0, 0, 0)
        },
    ] {
        assert!(ledger.run(&body, Creator).is_ok());
    }
    for word in [5, 7, 8, 9] {
        let body = Words(good.words(), word, 1 << 32);
        cases.rejects_words(&ledger, &body, "create_market");
    }
    let highest = CreateMarket {
        market: u32::MAX,
        ..good
    };
    assert_eq!(
        ledger.run(&highest, Creator).unwrap_err().reason.name(),
        "index"
    );
    // Nothing is added to the fee vault, and the ratio is in bounds.
    cases.are_all_but(&["quotient", "receiver-balance"]);
}

/// A body with one element that no struct of it has.
struct Words(Vec<F>, usize, u64);

impl Cases {
    fn rejects_words(&mut self, ledger: &Ledger, words: &Words, kind: &'static str) {
        let Words(all, word, value) = words;
        let mut all = all.clone();
        all[*word] = F::from_u64(*value);
        let effect = ledger.run_words(kind, all, Creator);
        assert_eq!(effect.unwrap_err().reason.name(), "parameter");
        self.seen.insert("parameter");
    }
}

#[test]
fn of_an_accrual() {
    use accrue::reasons;
    let mut ledger = lent();
    ledger.now += MAX_ELAPSED + 9;
    let mut cases = Cases::of("accrue");
    let until = |until| Accrue {
        until,
        ..ledger.accrue()
    };
    assert!(ledger.run(&until(NOW + MAX_ELAPSED), Feeder).is_ok());
    let bad = [
        (until(ledger.now + 1), &reasons::FUTURE),
        (until(ledger.now), &reasons::ELAPSED),
        (until(NOW), &reasons::ELAPSED),
        (until(NOW - 1), &reasons::ELAPSED),
        (until(NOW + MAX_ELAPSED - 1), &reasons::EARLY),
        (until(NOW + 1), &reasons::EARLY),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Feeder, reason);
    }
    let mut ledger = lent();
    ledger.now += 5;
    let rates = |slope1, slope2, fee| Accrue {
        rates: Rates {
            slope1,
            slope2,
            fee,
        },
        ..ledger.accrue()
    };
    let Rates {
        slope1,
        slope2,
        fee,
    } = RATES;
    let bad = [
        (rates(slope1 + 1, slope2, fee), &reasons::RATES),
        // The same element, in other parts.
        (rates(slope1 + (1 << 20), slope2 - 1, fee), &common::SLOPE),
        (rates(slope1, slope2 + (1 << 22), fee - 1), &common::SLOPE),
        (rates(0, 0, 250_001), &common::MARKET_FEE),
    ];
    for (body, reason) in bad {
        cases.rejects(&ledger, &body, Feeder, reason);
    }
    for word in [2, 3, 4] {
        let body = Words(ledger.accrue().words(), word, 1 << 32);
        cases.rejects_words(&ledger, &body, "accrue");
    }
    for (index, reason) in [(MARKET + 1, &common::TERMS), (MARKET, &common::MARKET)] {
        let mut other = ledger.clone();
        other.set(index, 0, 1);
        cases.rejects(&other, &other.accrue(), Feeder, reason);
    }
    // Of no market that there can be.
    ledger.set(MARKET, 3, 1 << 62);
    cases.rejects(&ledger, &ledger.accrue(), Feeder, &common::QUOTIENT);
    cases.are_all_but(&[]);
}

#[test]
fn of_a_collection() {
    let mut ledger = lent();
    let mut cases = Cases::of("collect");
    cases.rejects(&ledger, &ledger.collect(), Feeder, &common::ZERO);
    ledger.set(MARKET, 7, 5);
    assert!(ledger.run(&ledger.collect(), Feeder).is_ok());
    of_market(&mut cases, &ledger, Feeder, Ledger::collect);
    let elsewhere = Collect {
        share_vault: Supplier.shares(),
        ..ledger.collect()
    };
    cases.rejects(&ledger, &elsewhere, Feeder, &collect::reasons::SHARE_VAULT);
    let at = Creator.shares();
    let bad = [
        (MARKET + 1, 0, 3, &common::TERMS),
        (at, 0, 0, &vaults::RECEIVER_KIND),
        (at, 1, LOAN, &vaults::RECEIVER_ASSET),
        (at, 2, LIMIT - 4, &vaults::RECEIVER_BALANCE),
    ];
    for (index, element, value, reason) in bad {
        let mut other = ledger.clone();
        other.set(index, element, value);
        cases.rejects(&other, &other.collect(), Feeder, reason);
    }
    cases.are_all_but(&[]);
}
