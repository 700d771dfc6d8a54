//! All small pools: nobody takes value out by rounding, by any order of moves. After the search of
//! `../shared/model/search.py`, on the rules themselves.

use std::collections::HashSet;

use super::*;

const HELD: u64 = 1_000;

/// A pool of these reserves and shares, and a trader with enough of everything.
fn small(reserves: [u64; 2], shares: u64, fee: u64) -> Numbers {
    let mut ledger = Numbers::at(NOW);
    let [reserve_a, reserve_b] = reserves;
    let pool = Pool {
        asset_a: A,
        asset_b: B,
        reserve_a,
        reserve_b,
        shares,
        fee,
    };
    ledger.records.insert(POOL, pool.into());
    ledger.put(TRADERS_A, TRADER, A, HELD);
    ledger.put(TRADERS_B, TRADER, B, HELD);
    ledger.put(
        TRADERS_SHARES,
        TRADER,
        SHARES + u64::from(POOL),
        shares - 1_000,
    );
    ledger
}

fn sale(is_forward: bool, amount_in: u64, ledger: &Numbers) -> SwapIn {
    let (asset_in, asset_out, from, to) = match is_forward {
        true => (A, B, TRADERS_A, TRADERS_B),
        false => (B, A, TRADERS_B, TRADERS_A),
    };
    let nonce = ledger.nonce(from);
    SwapIn {
        asset_in,
        asset_out,
        from,
        to,
        amount_in,
        nonce,
        ..sell(ledger)
    }
}

fn purchase(is_forward: bool, amount_out: u64, ledger: &Numbers) -> SwapOut {
    let (asset_in, asset_out, from, to) = match is_forward {
        true => (A, B, TRADERS_A, TRADERS_B),
        false => (B, A, TRADERS_B, TRADERS_A),
    };
    let nonce = ledger.nonce(from);
    SwapOut {
        asset_in,
        asset_out,
        from,
        to,
        amount_out,
        nonce,
        ..buy(ledger)
    }
}

fn product(ledger: &Numbers) -> u64 {
    let pool = pool_at(ledger, POOL);
    pool.reserve_a * pool.reserve_b
}

/// What the trader has of the asset that is paid and of the one received.
fn held(is_forward: bool, ledger: &Numbers) -> (u64, u64) {
    let [a, b] = [TRADERS_A, TRADERS_B].map(|index| ledger.balance(index));
    if is_forward { (a, b) } else { (b, a) }
}

fn run(ledger: &Numbers, body: &impl crate::law::Body) -> Option<Numbers> {
    let mut after = ledger.clone();
    after.run(Some(TRADER), body).ok().map(|()| after)
}

#[test]
fn no_swap_of_a_small_pool_profits() {
    let mut cases = 0;
    for (reserve_a, reserve_b) in (1..26).flat_map(|a| (1..26).map(move |b| (a, b))) {
        for fee in [0, 3_000, 100_000] {
            let before = small([reserve_a, reserve_b], 1_007, fee);
            for is_forward in [true, false] {
                for amount in 1..30 {
                    let Some(after) = run(&before, &sale(is_forward, amount, &before)) else {
                        continue;
                    };
                    cases += 1;
                    assert!(product(&after) >= product(&before));
                    let got = held(is_forward, &after).1 - HELD;
                    // Back again: no more than before.
                    if let Some(back) = run(&after, &sale(!is_forward, got, &after)) {
                        assert!(held(is_forward, &back).0 <= HELD);
                    }
                    // The same bought exactly costs no more.
                    let bought = run(&before, &purchase(is_forward, got, &before));
                    let bought = bought.expect("it was sold as well");
                    assert!(HELD - held(is_forward, &bought).0 <= amount);
                }
                let most = if is_forward { reserve_b } else { reserve_a };
                for amount in 1..most {
                    let Some(after) = run(&before, &purchase(is_forward, amount, &before)) else {
                        continue;
                    };
                    cases += 1;
                    assert!(product(&after) >= product(&before));
                    // What it cost buys as much at least.
                    let cost = HELD - held(is_forward, &after).0;
                    let sold = run(&before, &sale(is_forward, cost, &before));
                    assert!(
                        held(is_forward, &sold.expect("it was bought as well")).1 >= HELD + amount
                    );
                }
            }
        }
    }
    println!("{cases} swaps");
    assert!(cases > 50_000, "{cases}");
}

#[test]
fn no_share_of_a_small_pool_loses() {
    let mut cases = 0;
    let worth = |before: &Numbers, after: &Numbers| {
        let (old, new) = (pool_at(before, POOL), pool_at(after, POOL));
        new.reserve_a * old.shares >= old.reserve_a * new.shares
            && new.reserve_b * old.shares >= old.reserve_b * new.shares
    };
    for (reserve_a, reserve_b) in (1..26).flat_map(|a| (1..26).map(move |b| (a, b))) {
        for all in [1_007, 1_500, 3_000] {
            let before = small([reserve_a, reserve_b], all, 3_000);
            for shares in (1..20).chain([100, 333, 499]) {
                let adding = AddLiquidity {
                    shares,
                    ..add(&before)
                };
                if let Some(after) = run(&before, &adding) {
                    cases += 1;
                    assert!(worth(&before, &after));
                    let back = RemoveLiquidity {
                        shares,
                        ..remove(&after)
                    };
                    let back = run(&after, &back).expect("the shares are there");
                    assert!(back.balance(TRADERS_A) <= HELD && back.balance(TRADERS_B) <= HELD);
                }
                let removing = RemoveLiquidity {
                    shares,
                    ..remove(&before)
                };
                if let Some(after) = run(&before, &removing) {
                    cases += 1;
                    assert!(worth(&before, &after));
                }
            }
        }
    }
    println!("{cases} moves");
    assert!(cases > 40_000, "{cases}");
}

/// Every move that a trader with little can make.
fn moves(ledger: &Numbers, shares: &[u64]) -> Vec<Numbers> {
    let [a, b] = [TRADERS_A, TRADERS_B].map(|index| ledger.balance(index));
    let mut next = vec![];
    for (is_forward, have) in [(true, a), (false, b)] {
        let sales = (1..=have.min(6)).map(|amount| sale(is_forward, amount, ledger));
        next.extend(sales.filter_map(|body| run(ledger, &body)));
        let purchases = (1..4).map(|amount| purchase(is_forward, amount, ledger));
        next.extend(purchases.filter_map(|body| run(ledger, &body)));
    }
    for &shares in shares {
        next.extend(run(
            ledger,
            &AddLiquidity {
                shares,
                ..add(ledger)
            },
        ));
        next.extend(run(
            ledger,
            &RemoveLiquidity {
                shares,
                ..remove(ledger)
            },
        ));
    }
    next
}

#[test]
fn no_order_of_moves_gains() {
    let mut states = 0;
    // A share is worth a hundredth of a unit or so, and adding costs a whole one.
    for (reserves, fee) in [([3, 3], 0), ([2, 9], 0), ([8, 6], 3_000), ([1, 12], 0)] {
        let mut start = small(reserves, 1_004, fee);
        for (index, asset, balance) in [
            (TRADERS_A, A, 8),
            (TRADERS_B, B, 8),
            (TRADERS_SHARES, SHARES + u64::from(POOL), 0),
        ] {
            start.put(index, TRADER, asset, balance);
        }
        let key = |ledger: &Numbers| {
            let pool = pool_at(ledger, POOL);
            let held = [TRADERS_A, TRADERS_B, TRADERS_SHARES].map(|index| ledger.balance(index));
            ([pool.reserve_a, pool.reserve_b, pool.shares], held)
        };
        let mut seen = HashSet::from([key(&start)]);
        let mut front = vec![start];
        for _ in 0..7 {
            let next = front
                .iter()
                .flat_map(|ledger| moves(ledger, &[1, 300, 700]));
            front = next
                .filter(|ledger| seen.insert(key(ledger)))
                .take(2_500)
                .collect();
        }
        for (_, [a, b, shares]) in &seen {
            let gained = *a >= 8 && *b >= 8 && a + b > 16;
            assert!(*shares > 0 || !gained, "{reserves:?}: {a} {b}");
        }
        states += seen.len();
    }
    println!("{states} states");
    assert!(states > 5_000, "{states}");
}

/// Long lines of swaps with reserves of a few units, as in the Balancer exploit of November 2025.
#[test]
fn a_line_of_swaps_at_tiny_reserves_gains_nothing() {
    let mut seed = 1_u64;
    let mut below = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % limit
    };
    let mut done = 0;
    for _ in 0..300 {
        let mut ledger = small([1 + below(20), 1 + below(20)], 1_007, below(2) * 3_000);
        let start = ledger.clone();
        for _ in 0..65 {
            let is_forward = below(2) == 0;
            let amount = 1 + below(9);
            let after = match below(2) {
                0 => run(&ledger, &sale(is_forward, amount, &ledger)),
                _ => run(&ledger, &purchase(is_forward, amount, &ledger)),
            };
            if let Some(after) = after {
                assert!(product(&after) >= product(&ledger));
                ledger = after;
                done += 1;
            }
        }
        let [a, b] = [TRADERS_A, TRADERS_B].map(|index| ledger.balance(index));
        assert!(!(a >= HELD && b >= HELD && a + b > 2 * HELD), "{start:?}");
    }
    println!("{done} swaps");
    assert!(done > 5_000, "{done}");
}
