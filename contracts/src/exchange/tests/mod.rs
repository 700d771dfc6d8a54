//! The rules of the exchange on numbers.

mod reasons;
mod search;
mod vectors;

use shardfold_protocol::record::{Index, SHARES};

use super::{AddLiquidity, CreatePool, Pool, RemoveLiquidity, SwapIn, SwapOut};
use crate::FeePayment;
use crate::testing::numbers::Numbers;

const NOW: u64 = 1_000_000;
const A: u64 = 5;
const B: u64 = 6;
const C: u64 = 7;
const POOL: Index = 40;
const SECOND_POOL: Index = 41;
const THIRD_POOL: Index = 42;
/// Whoever trades.
const TRADER: u64 = 1;
const TRADERS_A: Index = 1;
const TRADERS_B: Index = 2;
const TRADERS_C: Index = 3;
const TRADERS_SHARES: Index = 4;
const OTHERS_B: Index = 5;
const OPERATORS_A: Index = 6;
const VACANT: Index = 9;
const MOST: u64 = (1 << 62) - 1;

const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

/// A trader with vaults of everything, and pools a-b, b-c and c-a.
fn market() -> Numbers {
    let mut ledger = Numbers::at(NOW);
    for (index, asset) in [(TRADERS_A, A), (TRADERS_B, B), (TRADERS_C, C)] {
        ledger.put(index, TRADER, asset, 10_000_000);
    }
    ledger.put(TRADERS_SHARES, TRADER, SHARES + u64::from(POOL), 500_000);
    ledger.put(OTHERS_B, 2, B, 100);
    ledger.put(OPERATORS_A, 3, A, 0);
    pool(&mut ledger, POOL, [A, B], [1_000_000, 2_000_000]);
    pool(&mut ledger, SECOND_POOL, [B, C], [3_000_000, 1_000_000]);
    pool(&mut ledger, THIRD_POOL, [C, A], [500_000, 4_000_000]);
    ledger
}

fn pool(ledger: &mut Numbers, at: Index, [asset_a, asset_b]: [u64; 2], reserves: [u64; 2]) {
    let pool = Pool {
        asset_a,
        asset_b,
        reserve_a: reserves[0],
        reserve_b: reserves[1],
        shares: 1_000_000,
        fee: 3_000,
    };
    ledger.records.insert(at, pool.into());
}

fn pool_at(ledger: &Numbers, at: Index) -> Pool<u64> {
    Pool::of(&ledger.get(at)).expect("it is a pool")
}

/// Sells 10,000 of a for b.
fn sell(ledger: &Numbers) -> SwapIn {
    SwapIn {
        asset_in: A,
        amount_in: 10_000,
        pools: vec![POOL],
        asset_out: B,
        from: TRADERS_A,
        to: TRADERS_B,
        min_out: 0,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(TRADERS_A),
    }
}

/// Buys 10,000 of b for a.
fn buy(ledger: &Numbers) -> SwapOut {
    SwapOut {
        asset_out: B,
        amount_out: 10_000,
        pools: vec![POOL],
        asset_in: A,
        from: TRADERS_A,
        to: TRADERS_B,
        max_in: MOST,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(TRADERS_A),
    }
}

fn create(ledger: &Numbers) -> CreatePool {
    CreatePool {
        pool: VACANT,
        from_a: TRADERS_A,
        from_b: TRADERS_B,
        to: 10,
        asset_a: A,
        asset_b: B,
        amount_a: 4_000,
        amount_b: 9_000,
        swap_fee: 3_000,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(TRADERS_A),
    }
}

fn add(ledger: &Numbers) -> AddLiquidity {
    AddLiquidity {
        pool: POOL,
        from_a: TRADERS_A,
        from_b: TRADERS_B,
        to: TRADERS_SHARES,
        shares: 1_000,
        max_a: MOST,
        max_b: MOST,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(TRADERS_A),
    }
}

fn remove(ledger: &Numbers) -> RemoveLiquidity {
    RemoveLiquidity {
        pool: POOL,
        to_a: TRADERS_A,
        to_b: TRADERS_B,
        from: TRADERS_SHARES,
        shares: 1_000,
        min_a: 0,
        min_b: 0,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(TRADERS_A),
    }
}

#[test]
fn a_swap_pays_and_is_paid_to_the_unit() {
    let mut ledger = market();
    let fee = FeePayment {
        amount: 7,
        vault: OPERATORS_A,
    };
    let body = SwapIn {
        fee,
        ..sell(&ledger)
    };
    ledger.run(Some(TRADER), &body).expect("it is valid");
    // 9,970 of 10,000 count; 9,970 * 2,000,000 / 1,009,970 = 19,743.2.
    assert_eq!(ledger.balance(TRADERS_A), 10_000_000 - 10_000 - 7);
    assert_eq!(ledger.balance(TRADERS_B), 10_000_000 + 19_743);
    assert_eq!(ledger.balance(OPERATORS_A), 7);
    let after = pool_at(&ledger, POOL);
    assert_eq!((after.reserve_a, after.reserve_b), (1_010_000, 1_980_257));
    assert_eq!(ledger.nonce(TRADERS_A), 1);
    // The other way, into a vault that this opens.
    let body = SwapIn {
        asset_in: B,
        asset_out: A,
        from: TRADERS_B,
        to: VACANT,
        nonce: 0,
        ..sell(&ledger)
    };
    ledger.run(Some(TRADER), &body).expect("it is valid");
    let expected = 9_970 * 1_010_000 / (1_980_257 + 9_970);
    assert_eq!(ledger.balance(VACANT), expected);
}

#[test]
fn a_path_of_three_pools_is_three_swaps() {
    let mut ledger = market();
    let pools = [(POOL, A), (SECOND_POOL, B), (THIRD_POOL, C)];
    let mut amount = 10_000;
    let before = ledger.clone();
    for (at, asset) in pools {
        let pool = pool_at(&before, at);
        let sides = pool.sides(asset).expect("it has the asset");
        amount = super::quote_in(sides, pool.fee, amount).expect("it is served");
    }
    let body = SwapIn {
        pools: vec![POOL, SECOND_POOL, THIRD_POOL],
        asset_out: A,
        to: VACANT,
        ..sell(&ledger)
    };
    ledger.run(Some(TRADER), &body).expect("it is valid");
    assert_eq!(ledger.balance(VACANT), amount);
    // What comes out of the three, bought exactly, costs no more than what went in.
    let mut ledger = before;
    let body = SwapOut {
        asset_out: A,
        amount_out: amount,
        pools: vec![POOL, SECOND_POOL, THIRD_POOL],
        to: VACANT,
        ..buy(&ledger)
    };
    ledger.run(Some(TRADER), &body).expect("it is valid");
    assert_eq!(ledger.balance(VACANT), amount);
    assert!(ledger.balance(TRADERS_A) >= 10_000_000 - 10_000);
    // And through two.
    let body = SwapOut {
        asset_out: C,
        amount_out: 500,
        pools: vec![POOL, SECOND_POOL],
        to: TRADERS_C,
        ..buy(&ledger)
    };
    let before = ledger.balance(TRADERS_C);
    ledger.run(Some(TRADER), &body).expect("it is valid");
    assert_eq!(ledger.balance(TRADERS_C), before + 500);
}

#[test]
fn shares_are_made_and_given_back() {
    let mut ledger = market();
    ledger
        .run(Some(TRADER), &create(&ledger.clone()))
        .expect("it is valid");
    // sqrt(4,000 * 9,000) = 6,000, of which nobody has 1,000.
    let opened = pool_at(&ledger, VACANT);
    assert_eq!((opened.shares, ledger.balance(10)), (6_000, 5_000));
    let held = ledger.get(10).vault().expect("it was opened");
    assert_eq!(held.asset, SHARES + u64::from(VACANT));
    let body = AddLiquidity {
        pool: VACANT,
        to: 10,
        shares: 1_001,
        ..add(&ledger)
    };
    let before = ledger.clone();
    ledger.run(Some(TRADER), &body).expect("it is valid");
    // 1,001 * 4,000 / 6,000 = 667.3 and 1,001 * 9,000 / 6,000 = 1,501.5, rounded up.
    let paid = |index| before.balance(index) - ledger.balance(index);
    assert_eq!((paid(TRADERS_A), paid(TRADERS_B)), (668, 1_502));
    let body = RemoveLiquidity {
        pool: VACANT,
        from: 10,
        shares: 6_001,
        ..remove(&ledger)
    };
    let before = ledger.clone();
    ledger.run(Some(TRADER), &body).expect("it is valid");
    let got = |index| ledger.balance(index) - before.balance(index);
    let expected = [4_668_u64, 10_502].map(|reserve| 6_001 * reserve / 7_001);
    assert_eq!([got(TRADERS_A), got(TRADERS_B)], expected);
    assert_eq!(pool_at(&ledger, VACANT).shares, 1_000);
    assert_eq!(ledger.balance(10), 0);
}
