//! Payments, exchange and payouts.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exchange::{
    AddLiquidity, CreatePool, MIN_SHARES, Pool, RemoveLiquidity, SwapIn, SwapOut,
};
use shardfold_contracts::exit::Exit;
use shardfold_contracts::payout::{CancelPayout, Entry, Pay, Payout, list_of};
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_protocol::address::Address;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index, SHARES};

use super::world::{ASSETS, OpenPayout, PEOPLE, World, chain_id, owner};

const KINDS: [&str; 12] = [
    "transfer",
    "deposit",
    "withdraw",
    "exit",
    "create_pool",
    "add_liquidity",
    "remove_liquidity",
    "swap_in",
    "swap_out",
    "payout",
    "pay",
    "cancel_payout",
];

pub fn play(world: &mut World) {
    // What comes too seldom is tried more often.
    match world.rarest(&KINDS) {
        "transfer" => transfer(world),
        "deposit" => deposit(world),
        "withdraw" => withdraw(world),
        "exit" => exit(world),
        "create_pool" => create(world),
        "add_liquidity" => add(world),
        "remove_liquidity" => remove(world),
        "swap_in" => swap_in(world),
        "swap_out" => swap_out(world),
        "payout" => open(world),
        "pay" => pay(world),
        _ => cancel(world),
    }
}

fn transfer(world: &mut World) {
    let (from, to, asset) = (world.person(), world.person(), world.below(ASSETS));
    let amount = world.amount();
    let body = Transfer {
        from: world.place(from, asset),
        to: world.place(to, asset),
        to_owner: owner(to),
        asset,
        amount,
        fee: world.fee(asset),
        nonce: world.nonce_of(from, asset),
    };
    world.run(Some(from), &body, None);
}

fn deposit(world: &mut World) {
    let (to, asset, amount) = (world.person(), world.below(ASSETS), world.amount());
    let fee = world.fee(asset);
    let body = Deposit {
        base_chain: 1,
        to: world.place(to, asset),
        owner: owner(to),
        asset,
        amount,
        fee,
        position: world.queue_count,
    };
    let made = i128::from(amount) + i128::from(fee.amount);
    world.run(None, &body, Some((asset, made)));
}

fn withdraw(world: &mut World) {
    let (from, asset, amount) = (world.person(), world.below(ASSETS), world.amount());
    let body = Withdraw {
        from: world.place(from, asset),
        asset,
        amount,
        fee: world.fee(asset),
        nonce: world.nonce_of(from, asset),
        base_chain: 1,
        address: Address([1; 20]),
    };
    world.run(Some(from), &body, Some((asset, -i128::from(amount))));
}

/// From a vault of its owner's, of the operator's shares, or from somebody else's.
fn exit(world: &mut World) {
    let (whose, asset) = (world.person(), world.below(ASSETS));
    let asks = if world.below(3) == 0 {
        whose
    } else {
        PEOPLE - 2
    };
    let index = world.place(whose, asset);
    let body = Exit {
        base_chain: 1,
        position: world.queue_count,
        index,
        owner: owner(asks),
        address: Address([2; 20]),
    };
    let paid = if asks == whose {
        world.balance(index)
    } else {
        0
    };
    world.run(None, &body, Some((asset, -i128::from(paid))));
}

fn create(world: &mut World) {
    let person = world.person();
    let asset_a = world.any_asset();
    let asset_b = world.below(ASSETS);
    let at = world.fresh();
    let body = CreatePool {
        pool: at,
        from_a: world.place(person, asset_a),
        from_b: world.place(person, asset_b),
        to: world.place(person, SHARES + Asset::from(at)),
        asset_a,
        asset_b,
        amount_a: world.amount(),
        amount_b: world.amount(),
        swap_fee: world.below(4) * 3_000,
        valid_until: world.time,
        fee: world.fee(asset_a),
        nonce: world.nonce_of(person, asset_a),
    };
    if world.run(Some(person), &body, None) {
        world.pools.push(at);
    }
}

fn pool(world: &mut World) -> Option<(Index, Pool<u64>)> {
    if world.pools.is_empty() {
        return None;
    }
    // Mostly the latest ones.
    let back = world.below(world.pools.len().min(12) as u64) as usize;
    let at = world.pools[world.pools.len() - 1 - back];
    Some((at, Pool::of(&world.get(at))?))
}

fn add(world: &mut World) {
    let Some((at, pool)) = pool(world) else {
        return;
    };
    let person = world.person();
    let body = AddLiquidity {
        pool: at,
        from_a: world.place(person, pool.asset_a),
        from_b: world.place(person, pool.asset_b),
        to: world.place(person, SHARES + Asset::from(at)),
        shares: world.amount(),
        max_a: (1 << 62) - 1,
        max_b: (1 << 62) - 1,
        valid_until: world.time,
        fee: world.fee(pool.asset_a),
        nonce: world.nonce_of(person, pool.asset_a),
    };
    world.run(Some(person), &body, None);
}

fn remove(world: &mut World) {
    let Some((at, pool)) = pool(world) else {
        return;
    };
    let person = world.person();
    let from = world.place(person, SHARES + Asset::from(at));
    let held = world.balance(from).min(pool.shares - MIN_SHARES);
    let body = RemoveLiquidity {
        pool: at,
        to_a: world.place(person, pool.asset_a),
        to_b: world.place(person, pool.asset_b),
        from,
        shares: world.below(held + 1),
        min_a: 0,
        min_b: 0,
        valid_until: world.time,
        fee: world.fee(pool.asset_a),
        nonce: world.nonce_of(person, pool.asset_a),
    };
    world.run(Some(person), &body, None);
}

/// One pool, or two that lie at each other's end.
fn path(world: &mut World) -> Option<(Vec<Index>, Asset, Asset)> {
    let (at, first) = pool(world)?;
    let (asset, reached) = match world.below(2) {
        0 => (first.asset_a, first.asset_b),
        _ => (first.asset_b, first.asset_a),
    };
    let (second, next) = pool(world)?;
    let follows = next.sides(reached).is_some() && second != at;
    if follows && world.below(2) == 0 {
        let end = next.asset_a + next.asset_b - reached;
        return (end != asset).then_some((vec![at, second], asset, end));
    }
    Some((vec![at], asset, reached))
}

fn swap_in(world: &mut World) {
    let Some((pools, asset_in, asset_out)) = path(world) else {
        return;
    };
    let person = world.person();
    let body = SwapIn {
        asset_in,
        amount_in: world.amount(),
        pools,
        asset_out,
        from: world.place(person, asset_in),
        to: world.place(person, asset_out),
        min_out: world.below(2),
        valid_until: world.time,
        fee: world.fee(asset_in),
        nonce: world.nonce_of(person, asset_in),
    };
    world.run(Some(person), &body, None);
}

fn swap_out(world: &mut World) {
    let Some((pools, asset_in, asset_out)) = path(world) else {
        return;
    };
    let person = world.person();
    let last = pools.last().and_then(|at| Pool::of(&world.get(*at)));
    let most = last
        .and_then(|pool| pool.sides(asset_out))
        .map_or(1, |sides| sides.0);
    let amount_out = world.amount() % most.max(1);
    let body = SwapOut {
        asset_out,
        amount_out,
        pools,
        asset_in,
        from: world.place(person, asset_in),
        to: world.place(person, asset_out),
        max_in: (1 << 62) - 1,
        valid_until: world.time,
        fee: world.fee(asset_in),
        nonce: world.nonce_of(person, asset_in),
    };
    world.run(Some(person), &body, None);
}

fn open(world: &mut World) {
    let (payer, asset) = (world.person(), world.below(ASSETS));
    let count = 1 + world.below(9);
    let entries = (0..count).map(|_| {
        let to = world.person();
        Entry {
            to: world.place(to, asset),
            amount: world.amount() >> 4,
        }
    });
    let entries: Vec<Entry> = entries.collect();
    let rests = list_of(F::from_u64(chain_id()), &entries);
    let total: u64 = entries.iter().map(|entry| entry.amount).sum();
    let index = world.fresh();
    let body = Payout {
        from: world.place(payer, asset),
        index,
        asset,
        total: total + world.below(5),
        list: rests[0],
        valid_until: world.time,
        fee: world.fee(asset),
        nonce: world.nonce_of(payer, asset),
    };
    if world.run(Some(payer), &body, None) {
        let paid = 0;
        world.payouts.push(OpenPayout {
            index,
            payer,
            entries,
            rests,
            paid,
        });
    }
}

fn pay(world: &mut World) {
    let count = world.payouts.len() as u64;
    if count == 0 {
        return open(world);
    }
    let number = world.below(count) as usize;
    let payout = &world.payouts[number];
    let left = payout.entries.len() - payout.paid;
    let (start, index) = (payout.paid, payout.index);
    // So many as no vault is in twice.
    let rest = &payout.entries[start..];
    let distinct = (1..=left).take_while(|&end| {
        let places = rest[..end].iter().map(|entry| entry.to);
        places.collect::<std::collections::BTreeSet<_>>().len() == end
    });
    let most = distinct.last().unwrap_or(0) as u64;
    if most == 0 {
        world.payouts.swap_remove(number);
        return;
    }
    let end = start + 1 + world.below(most) as usize;
    let payout = &world.payouts[number];
    let pay = Pay::new(index, &payout.entries[start..end], payout.rests[end]);
    if world.run(None, &pay, None) {
        world.payouts[number].paid = end;
    } else {
        cancel_number(world, number);
    }
}

fn cancel(world: &mut World) {
    let count = world.payouts.len() as u64;
    if count == 0 {
        return open(world);
    }
    let number = world.below(count) as usize;
    cancel_number(world, number);
}

fn cancel_number(world: &mut World, number: usize) {
    let payout = world.payouts.swap_remove(number);
    let [_, asset, _, refund, ..] = world.get(payout.index).0;
    let asset = p3_field::PrimeField64::as_canonical_u64(&asset);
    let to = p3_field::PrimeField64::as_canonical_u64(&refund);
    let body = CancelPayout {
        index: payout.index,
        to: Index::try_from(to).expect("an index"),
        valid_until: world.time,
        fee: world.fee(asset),
        nonce: world.nonce_of(payout.payer, asset),
    };
    world.run(Some(payout.payer), &body, None);
}
