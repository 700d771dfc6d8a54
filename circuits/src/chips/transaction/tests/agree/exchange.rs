//! Cases of the exchange.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::exchange::{AddLiquidity, CreatePool, Pool, RemoveLiquidity, SwapIn};
use shardfold_contracts::exchange::{SwapOut, quote_in, quote_out};
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};

use super::super::*;
use super::{Case, Records, fixture_records};
use crate::chips::fixture::defi::{self, *};
use crate::chips::fixture::lending::with_balance;

const MOST: u64 = (1 << 62) - 1;

/// The fixtures' records, with Alice's vaults of some balance.
pub(super) fn rich(random: &mut Random) -> (Records, u64) {
    let mut records = fixture_records();
    let balance = random.pick(&[1_000_000, 1 << 40, 1 << 61, MOST]);
    for index in [ALICE, ALICES_OTHER, ALICES_THIRD, ALICES_FOURTH] {
        if let Some(record) = records.get_mut(&index) {
            record.0[2] = F::from_u64(balance);
        }
    }
    (records, balance)
}

/// When a signature ends.
pub(super) fn until(random: &mut Random) -> u64 {
    let far = (1 << 32) - 1;
    let bad = random.pick(&[NOW - 1, NOW + far + 1]);
    let good = random.pick(&[NOW, NOW + far, UNTIL]);
    if random.below(30) == 0 { bad } else { good }
}

fn change_pool(records: &mut Records, at: Index, change: impl FnOnce(&mut Pool<u64>)) {
    let record = records.get_mut(&at).expect("a pool of the fixtures");
    let mut pool = Pool::of(record).expect("a pool of the fixtures");
    change(&mut pool);
    *record = pool.into();
}

fn pool_at(records: &Records, at: Index) -> Pool<u64> {
    Pool::of(&records[&at]).expect("a pool of the fixtures")
}

pub(super) fn create_pool(random: &mut Random) -> Case {
    let (records, balance) = rich(random);
    let to = random.pick(&[VACANT, ALICES_NEW_SHARES]);
    let amount = |random: &mut Random| 1_001 + random.below(balance - 3_000);
    let mut body = CreatePool {
        amount_a: amount(random),
        amount_b: amount(random),
        swap_fee: random.pick(&[0, 1, 2_500, 100_000]),
        valid_until: until(random),
        fee: fee_in(ASSET, random.pick(&[0, 1, 900])),
        ..defi::create_pool(to)
    };
    match random.below(40) {
        0 => (body.amount_a, body.amount_b) = (random.below(1_500), random.below(1_500)),
        1 => (body.amount_a, body.amount_b) = (1_000, random.pick(&[1_000, 1_002, 1_003])),
        2 => body.amount_a = 0,
        3 => body.amount_b = 0,
        4 => body.asset_b = body.asset_a,
        5 => body.swap_fee = random.pick(&[100_001, 1 << 17, 1 << 32]),
        6 => body.amount_b = balance.saturating_add(1).min(MOST),
        _ => {}
    }
    Case::new(records, signed(&body))
}

/// The pool of a case at an extreme.
fn extreme_pool(records: &mut Records, shares: u64, random: &mut Random) {
    let near = MOST - random.below(3 * shares.min(1 << 60) + 1);
    let kind = random.below(30);
    change_pool(records, POOL, |pool| match kind {
        0 => (pool.shares, pool.reserve_a) = (1 << 61, near),
        1 => (pool.shares, pool.reserve_b) = (1 << 61, near),
        2 => pool.shares = MOST - random.below(shares.min(1 << 60) + 1),
        3 => pool.shares = random.below(2_000),
        4 => (pool.shares, pool.reserve_a) = (random.below(10), 1 << 61),
        5 => (pool.shares, pool.reserve_a, pool.reserve_b) = (MOST, MOST, MOST),
        _ => {}
    });
}

pub(super) fn add_liquidity(random: &mut Random) -> Case {
    let (mut records, _) = rich(random);
    let shares = random.pick(&[1, 900, 12_345, 150_000]);
    let shares = 1 + random.below(shares);
    extreme_pool(&mut records, shares, random);
    let limit = |random: &mut Random| random.pick(&[MOST, MOST, 5_000_000, 400_000]);
    let mut body = AddLiquidity {
        shares,
        max_a: limit(random),
        max_b: limit(random),
        valid_until: until(random),
        fee: fee_in(ASSET, random.pick(&[0, 1, 900])),
        ..defi::add_liquidity(random.pick(&[ALICES_SHARES, VACANT]))
    };
    match random.below(25) {
        0 => body.shares = 0,
        1 => body.shares = MOST - random.below(5),
        2 => body.max_a = random.below(20),
        3 => body.max_b = random.below(20),
        _ => {}
    }
    Case::new(records, signed(&body))
}

pub(super) fn remove_liquidity(random: &mut Random) -> Case {
    let mut records = fixture_records();
    if random.below(30) == 0 {
        let full = MOST - random.below(1_000);
        records.insert(ALICES_OTHER, with_balance(records[&ALICES_OTHER], full));
    }
    let shares = 1 + random.below(2_000_000);
    extreme_pool(&mut records, shares, random);
    let pool = pool_at(&records, POOL);
    let part = |reserve: u64, shares: u64| {
        let part = u128::from(reserve) * u128::from(shares) / u128::from(pool.shares.max(1));
        u64::try_from(part).unwrap_or(MOST)
    };
    let mut body = RemoveLiquidity {
        shares,
        min_a: random.pick(&[0, part(pool.reserve_a, shares)]),
        min_b: random.pick(&[0, part(pool.reserve_b, shares)]),
        valid_until: until(random),
        fee: fee_in(ASSET, random.pick(&[0, 1, 900])),
        ..defi::remove_liquidity(random.pick(&[ALICES_OTHER, VACANT]))
    };
    match random.below(25) {
        0 => body.shares = 0,
        1 => body.shares = pool.shares.saturating_sub(random.below(1_100)),
        2 => body.min_a = part(pool.reserve_a, shares).saturating_add(1),
        3 => body.min_b = part(pool.reserve_b, shares).saturating_add(1),
        _ => {}
    }
    Case::new(records, signed(&body))
}

/// One of the pools of a path, at an extreme for an amount.
fn extreme_reserves(records: &mut Records, pools: &[Index], amount: u64, random: &mut Random) {
    let at = random.pick(pools);
    let kind = random.below(30);
    let near = MOST - amount.min(1 << 60) + random.below(amount.min(1 << 60) / 200 + 1);
    change_pool(records, at, |pool| match kind {
        0 | 1 => pool.reserve_a = near,
        2 | 3 => pool.reserve_b = near,
        4 => pool.reserve_a = 1 + random.below(2_000),
        5 => pool.reserve_b = 1 + random.below(2_000),
        6 => (pool.reserve_a, pool.reserve_b) = (MOST, MOST),
        7 => pool.fee = random.pick(&[0, 1, 100_000]),
        _ => {}
    });
}

/// What an amount becomes on a path, or an amount all the same if some pool serves it not.
fn quoted(
    records: &Records,
    pools: impl Iterator<Item = Index>,
    (mut asset, mut amount): (Asset, u64),
    quote: impl Fn((u64, u64), u64, u64) -> Option<u64>,
    is_in: bool,
) -> u64 {
    for at in pools {
        let pool = pool_at(records, at);
        let other = pool.asset_a + pool.asset_b - asset;
        let side = if is_in { asset } else { other };
        let Some(sides) = pool.sides(side) else {
            return amount;
        };
        let Some(next) = quote(sides, pool.fee, amount) else {
            return amount;
        };
        (asset, amount) = (other, next);
    }
    amount
}

pub(super) fn swap_in(random: &mut Random) -> Case {
    let (mut records, balance) = rich(random);
    let body = defi::swap_in(1 + random.below(3) as usize, random.below(2) == 1);
    let most = random.pick(&[50_000, 900_000, balance - 900]);
    let amount_in = 100 + random.below(most);
    extreme_reserves(&mut records, &body.pools, amount_in, random);
    let pools = body.pools.iter().copied();
    let out = quoted(&records, pools, (body.asset_in, amount_in), quote_in, true);
    let mut body = SwapIn {
        amount_in,
        min_out: random.pick(&[0, out, out.saturating_sub(1)]),
        valid_until: until(random),
        fee: fee_in(body.asset_in, random.pick(&[0, 1, 900])),
        to: random.pick(&[body.to, VACANT]),
        ..body
    };
    match random.below(30) {
        0 => body.amount_in = 0,
        1 => body.amount_in = 1 + random.below(4),
        2 | 3 => body.min_out = (out + 1).min(MOST),
        4 => body.asset_out = THIRD_ASSET,
        _ => {}
    }
    Case::new(records, signed(&body))
}

pub(super) fn swap_out(random: &mut Random) -> Case {
    let (mut records, _) = rich(random);
    let body = defi::swap_out(1 + random.below(3) as usize, random.below(2) == 1);
    let most = random.pick(&[50_000, 300_000, 10_000_000]);
    let amount_out = 1 + random.below(most);
    extreme_reserves(&mut records, &body.pools, amount_out, random);
    let pools = body.pools.iter().rev().copied();
    let paid = quoted(
        &records,
        pools,
        (body.asset_out, amount_out),
        quote_out,
        false,
    );
    let mut body = SwapOut {
        amount_out,
        max_in: random.pick(&[MOST, paid, paid.saturating_add(1).min(MOST)]),
        valid_until: until(random),
        fee: fee_in(body.asset_in, random.pick(&[0, 1, 900])),
        to: random.pick(&[body.to, VACANT]),
        ..body
    };
    match random.below(30) {
        0 => body.amount_out = 0,
        1 => body.amount_out = MOST - random.below(3),
        2 | 3 => body.max_in = paid - 1,
        4 => body.asset_in = THIRD_ASSET,
        _ => {}
    }
    Case::new(records, signed(&body))
}
