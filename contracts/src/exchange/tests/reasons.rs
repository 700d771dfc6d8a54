//! Each reason for which the exchange rejects, one unit beside what it accepts.

use super::*;
use crate::law::Body;
use crate::testing::numbers::Numbers;

fn refused(body: impl Body) -> Option<&'static str> {
    market().refusal(Some(TRADER), &body)
}

fn changed(change: impl FnOnce(&mut Numbers), body: impl Body) -> Option<&'static str> {
    let mut ledger = market();
    change(&mut ledger);
    ledger.refusal(Some(TRADER), &body)
}

#[test]
fn swaps_of_an_exact_amount() {
    let swap = || sell(&market());
    assert_eq!(refused(swap()), None);
    let got = 19_743;
    assert_eq!(
        refused(SwapIn {
            min_out: got,
            ..swap()
        }),
        None
    );
    assert_eq!(
        refused(SwapIn {
            min_out: got + 1,
            ..swap()
        }),
        Some("limit")
    );
    assert_eq!(
        refused(SwapIn {
            amount_in: 0,
            ..swap()
        }),
        Some("zero-amount")
    );
    assert_eq!(
        refused(SwapIn {
            amount_in: 1,
            ..swap()
        }),
        Some("nothing")
    );
    assert_eq!(
        refused(SwapIn {
            amount_in: MOST,
            ..swap()
        }),
        Some("reserve")
    );
    assert_eq!(
        refused(SwapIn {
            amount_in: MOST + 1,
            ..swap()
        }),
        Some("amount")
    );
    assert_eq!(
        refused(SwapIn {
            min_out: MOST + 1,
            ..swap()
        }),
        Some("amount")
    );
    assert_eq!(
        refused(SwapIn {
            asset_in: C,
            ..swap()
        }),
        Some("pool-asset")
    );
    assert_eq!(
        refused(SwapIn {
            asset_out: C,
            ..swap()
        }),
        Some("path")
    );
    assert_eq!(
        refused(SwapIn {
            pools: vec![VACANT],
            ..swap()
        }),
        Some("pool")
    );
    assert_eq!(
        refused(SwapIn {
            pools: vec![TRADERS_B],
            ..swap()
        }),
        Some("pool")
    );
    let round = vec![POOL, POOL];
    assert_eq!(
        refused(SwapIn {
            pools: round,
            asset_out: A,
            ..swap()
        }),
        Some("twice")
    );
    let longest = vec![POOL, SECOND_POOL, THIRD_POOL, 43];
    assert_eq!(
        refused(SwapIn {
            pools: longest,
            ..swap()
        }),
        Some("body")
    );
    assert_eq!(
        refused(SwapIn {
            pools: vec![],
            ..swap()
        }),
        Some("body")
    );
    assert_eq!(
        refused(SwapIn {
            valid_until: NOW - 1,
            ..swap()
        }),
        Some("expired")
    );
    let far = NOW + (1 << 32);
    assert_eq!(
        refused(SwapIn {
            valid_until: far - 1,
            ..swap()
        }),
        None
    );
    assert_eq!(
        refused(SwapIn {
            valid_until: far,
            ..swap()
        }),
        Some("expired")
    );
    assert_eq!(refused(SwapIn { nonce: 1, ..swap() }), Some("nonce"));
    assert_eq!(
        refused(SwapIn {
            from: OTHERS_B,
            ..swap()
        }),
        Some("sender-asset")
    );
    assert_eq!(
        refused(SwapIn {
            to: OTHERS_B,
            ..swap()
        }),
        Some("receiver-owner")
    );
    assert_eq!(
        refused(SwapIn {
            to: TRADERS_C,
            ..swap()
        }),
        Some("receiver-asset")
    );
    assert_eq!(refused(SwapIn { to: POOL, ..swap() }), Some("twice"));
    assert_eq!(
        refused(SwapIn {
            to: SECOND_POOL,
            ..swap()
        }),
        Some("receiver-kind")
    );
    assert_eq!(
        refused(SwapIn {
            to: TRADERS_A,
            ..swap()
        }),
        Some("twice")
    );
    let more = 10_000_001;
    assert_eq!(
        refused(SwapIn {
            amount_in: more - 1,
            ..swap()
        }),
        None
    );
    assert_eq!(
        refused(SwapIn {
            amount_in: more,
            ..swap()
        }),
        Some("balance")
    );
    let full = |ledger: &mut Numbers| ledger.put(TRADERS_B, TRADER, B, MOST - got + 1);
    assert_eq!(changed(full, swap()), Some("receiver-balance"));
    let other = |ledger: &mut Numbers| {
        let record = ledger.records.get_mut(&POOL).expect("it is there");
        record.0[7] = p3_field::PrimeCharacteristicRing::ONE;
    };
    assert_eq!(changed(other, swap()), Some("pool-mode"));
    let mut ledger = market();
    assert_eq!(ledger.refusal(Some(2), &swap()), Some("owner"));
    assert_eq!(ledger.refusal(None, &swap()), Some("owner"));
}

#[test]
fn reserves_have_62_bits() {
    let full = |ledger: &mut Numbers| pool(ledger, POOL, [A, B], [MOST - 10_000, MOST]);
    let swap = || sell(&market());
    let rich = |ledger: &mut Numbers| {
        full(ledger);
        ledger.put(TRADERS_B, TRADER, B, 0);
    };
    assert_eq!(changed(rich, swap()), None);
    let more = SwapIn {
        amount_in: 10_001,
        ..swap()
    };
    assert_eq!(changed(rich, more), Some("reserve"));
    // So much that the fee less of it is beyond all bounds.
    let more = SwapIn {
        amount_in: 20_000,
        ..swap()
    };
    assert_eq!(changed(rich, more), Some("liquidity"));
}

#[test]
fn swaps_for_an_exact_amount() {
    let swap = || buy(&market());
    assert_eq!(refused(swap()), None);
    // ceil(1,000,000 * 10,000 / 1,990,000) = 5,026 and ceil(5,026 / 0.997) = 5,042.
    assert_eq!(
        refused(SwapOut {
            max_in: 5_042,
            ..swap()
        }),
        None
    );
    assert_eq!(
        refused(SwapOut {
            max_in: 5_041,
            ..swap()
        }),
        Some("limit")
    );
    assert_eq!(
        refused(SwapOut {
            amount_out: 0,
            ..swap()
        }),
        Some("zero-amount")
    );
    let all = 2_000_000;
    assert_eq!(
        refused(SwapOut {
            amount_out: all,
            ..swap()
        }),
        Some("liquidity")
    );
    assert_eq!(
        refused(SwapOut {
            amount_out: all + 1,
            ..swap()
        }),
        Some("liquidity")
    );
    assert_eq!(
        refused(SwapOut {
            amount_out: MOST + 1,
            ..swap()
        }),
        Some("amount")
    );
    assert_eq!(
        refused(SwapOut {
            asset_out: C,
            ..swap()
        }),
        Some("pool-asset")
    );
    assert_eq!(
        refused(SwapOut {
            asset_in: C,
            ..swap()
        }),
        Some("path")
    );
    let round = vec![POOL, POOL];
    assert_eq!(
        refused(SwapOut {
            pools: round,
            asset_in: B,
            ..swap()
        }),
        Some("twice")
    );
    assert_eq!(
        refused(SwapOut {
            valid_until: NOW - 1,
            ..swap()
        }),
        Some("expired")
    );
    // Through all of the first pool's reserve but one unit: more than the trader has.
    assert_eq!(
        refused(SwapOut {
            amount_out: all - 1,
            ..swap()
        }),
        Some("balance")
    );
    let huge = |ledger: &mut Numbers| pool(ledger, POOL, [A, B], [MOST, 2_000_000]);
    assert_eq!(
        changed(
            huge,
            SwapOut {
                amount_out: 1_500_000,
                ..swap()
            }
        ),
        Some("liquidity")
    );
    assert_eq!(
        changed(
            huge,
            SwapOut {
                amount_out: 1_000,
                ..swap()
            }
        ),
        Some("reserve")
    );
}

#[test]
fn openings() {
    let body = || create(&market());
    assert_eq!(refused(body()), None);
    for used in [POOL, TRADERS_C] {
        assert_eq!(
            refused(CreatePool {
                pool: used,
                ..body()
            }),
            Some("index-used")
        );
    }
    assert_eq!(
        refused(CreatePool {
            asset_b: A,
            ..body()
        }),
        Some("one-asset")
    );
    assert_eq!(
        refused(CreatePool {
            amount_a: 0,
            ..body()
        }),
        Some("no-reserves")
    );
    assert_eq!(
        refused(CreatePool {
            amount_b: 0,
            ..body()
        }),
        Some("no-reserves")
    );
    let few = |amount_a, amount_b| CreatePool {
        amount_a,
        amount_b,
        ..body()
    };
    assert_eq!(refused(few(1_001, 1_001)), None);
    assert_eq!(refused(few(1_001, 1_000)), Some("few-shares"));
    assert_eq!(refused(few(1, 1)), Some("few-shares"));
    assert_eq!(refused(few(MOST + 1, 1)), Some("amount"));
    assert_eq!(refused(few(1, MOST + 1)), Some("amount"));
    assert_eq!(
        refused(CreatePool {
            swap_fee: 100_000,
            ..body()
        }),
        None
    );
    assert_eq!(
        refused(CreatePool {
            swap_fee: 100_001,
            ..body()
        }),
        Some("swap-fee")
    );
    assert_eq!(
        refused(CreatePool {
            swap_fee: 1 << 17,
            ..body()
        }),
        Some("swap-fee")
    );
    assert_eq!(
        refused(CreatePool {
            valid_until: NOW - 1,
            ..body()
        }),
        Some("expired")
    );
    assert_eq!(
        refused(CreatePool {
            from_b: OTHERS_B,
            ..body()
        }),
        Some("sender-owner")
    );
    assert_eq!(
        refused(CreatePool {
            from_b: TRADERS_C,
            ..body()
        }),
        Some("sender-asset")
    );
    assert_eq!(
        refused(CreatePool {
            from_b: VACANT + 1,
            ..body()
        }),
        Some("sender-missing")
    );
    assert_eq!(
        refused(CreatePool {
            to: TRADERS_B,
            ..body()
        }),
        Some("twice")
    );
    assert_eq!(
        refused(CreatePool {
            to: TRADERS_SHARES,
            ..body()
        }),
        Some("receiver-asset")
    );
    assert_eq!(refused(few(10_000_001, 9_000)), Some("balance"));
    assert_eq!(refused(few(9_000, 10_000_001)), Some("balance"));
    let rich = |ledger: &mut Numbers| {
        ledger.put(TRADERS_A, TRADER, A, MOST);
        ledger.put(TRADERS_B, TRADER, B, MOST);
    };
    assert_eq!(changed(rich, few(MOST, MOST)), None);
}

#[test]
fn adding() {
    let body = || add(&market());
    assert_eq!(refused(body()), None);
    // Just 1,000 and 2,000.
    let bounded = |max_a, max_b| AddLiquidity {
        max_a,
        max_b,
        ..body()
    };
    assert_eq!(refused(bounded(1_000, 2_000)), None);
    assert_eq!(refused(bounded(999, 2_000)), Some("limit"));
    assert_eq!(refused(bounded(1_000, 1_999)), Some("limit"));
    assert_eq!(
        refused(AddLiquidity {
            shares: 0,
            ..body()
        }),
        Some("zero-amount")
    );
    assert_eq!(
        refused(AddLiquidity {
            shares: MOST + 1,
            ..body()
        }),
        Some("amount")
    );
    assert_eq!(
        refused(AddLiquidity {
            shares: MOST,
            ..body()
        }),
        Some("liquidity")
    );
    assert_eq!(
        refused(AddLiquidity {
            pool: VACANT,
            ..body()
        }),
        Some("pool")
    );
    assert_eq!(
        refused(AddLiquidity {
            valid_until: NOW - 1,
            ..body()
        }),
        Some("expired")
    );
    assert_eq!(
        refused(AddLiquidity {
            from_b: OTHERS_B,
            ..body()
        }),
        Some("sender-owner")
    );
    assert_eq!(
        refused(AddLiquidity {
            to: VACANT,
            ..body()
        }),
        None
    );
    assert_eq!(
        refused(AddLiquidity {
            to: TRADERS_C,
            ..body()
        }),
        Some("receiver-asset")
    );
    // Shares and reserves beyond their bounds: a pool of very many cheap shares, and the reverse.
    let cheap = |ledger: &mut Numbers| {
        let mut pool = pool_at(ledger, POOL);
        pool.shares = MOST - 999;
        ledger.records.insert(POOL, pool.into());
    };
    assert_eq!(changed(cheap, body()), Some("shares"));
    assert_eq!(
        changed(
            cheap,
            AddLiquidity {
                shares: 999,
                ..body()
            }
        ),
        None
    );
    let dear = |reserves| move |ledger: &mut Numbers| pool(ledger, POOL, [A, B], reserves);
    assert_eq!(changed(dear([MOST, 2_000_000]), body()), Some("reserve"));
    assert_eq!(changed(dear([1_000_000, MOST]), body()), Some("reserve"));
}

#[test]
fn removing() {
    let body = || remove(&market());
    assert_eq!(refused(body()), None);
    let bounded = |min_a, min_b| RemoveLiquidity {
        min_a,
        min_b,
        ..body()
    };
    assert_eq!(refused(bounded(1_000, 2_000)), None);
    assert_eq!(refused(bounded(1_001, 2_000)), Some("limit"));
    assert_eq!(refused(bounded(1_000, 2_001)), Some("limit"));
    assert_eq!(
        refused(RemoveLiquidity {
            shares: 0,
            ..body()
        }),
        Some("zero-amount")
    );
    assert_eq!(
        refused(RemoveLiquidity {
            shares: 500_001,
            ..body()
        }),
        Some("balance")
    );
    let all = |ledger: &mut Numbers| {
        ledger.put(TRADERS_SHARES, TRADER, SHARES + u64::from(POOL), 1_000_000);
    };
    assert_eq!(
        changed(
            all,
            RemoveLiquidity {
                shares: 999_000,
                ..body()
            }
        ),
        None
    );
    let last = RemoveLiquidity {
        shares: 999_001,
        ..body()
    };
    assert_eq!(changed(all, last), Some("last-shares"));
    let more = RemoveLiquidity {
        shares: 1_000_001,
        ..body()
    };
    assert_eq!(changed(all, more), Some("last-shares"));
    assert_eq!(
        refused(RemoveLiquidity {
            to_b: VACANT,
            ..body()
        }),
        None
    );
    assert_eq!(
        refused(RemoveLiquidity {
            to_b: OTHERS_B,
            ..body()
        }),
        Some("receiver-owner")
    );
    assert_eq!(
        refused(RemoveLiquidity {
            from: TRADERS_C,
            ..body()
        }),
        Some("sender-asset")
    );
    let full = |ledger: &mut Numbers| ledger.put(TRADERS_A, TRADER, A, MOST - 999);
    assert_eq!(changed(full, body()), Some("balance"));
}

#[test]
fn a_second_pool_never_has_the_shares_of_the_first() {
    // The record of a pool that was emptied as far as it goes is still a pool.
    let mut ledger = market();
    ledger.put(TRADERS_SHARES, TRADER, SHARES + u64::from(POOL), 999_000);
    let all = RemoveLiquidity {
        shares: 999_000,
        ..remove(&ledger)
    };
    ledger.run(Some(TRADER), &all).expect("it is valid");
    let again = CreatePool {
        pool: POOL,
        nonce: 1,
        ..create(&ledger)
    };
    assert_eq!(ledger.refusal(Some(TRADER), &again), Some("index-used"));
}
