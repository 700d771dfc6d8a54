//! Interest, as others count it.

use super::*;

const AAVE: &str = include_str!("../../../../tests/vectors/aave_v3.json");
const COMPOUND: &str = include_str!("../../../../tests/vectors/compound_v2.json");

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
    for vector in vectors(morpho::MORPHO, "accrue") {
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
