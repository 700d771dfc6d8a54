//! Lending.

use p3_field::PrimeField64;
use shardfold_contracts::lending::{
    Accrue, Borrow, Collect, CreateMarket, Liquidate, MAX_ELAPSED, Post, Price, Rates, Redeem,
    Repay, Supply, Take,
};
use shardfold_protocol::record::{Asset, Index, SHARES};

use super::world::{ASSETS, World, owner};

/// A market that was opened.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    pub at: Index,
    pub loan: Asset,
    pub collateral: Asset,
    pub price: Index,
    pub creator: u64,
    pub rates: Rates,
}

const KINDS: [&str; 11] = [
    "create_market",
    "price",
    "accrue",
    "collect",
    "supply",
    "redeem",
    "post",
    "take",
    "borrow",
    "repay",
    "liquidate",
];
const FEEDER: u64 = 3;
const SCALE: u64 = 1_000;
const MOST: u64 = (1 << 62) - 1;

pub fn play(world: &mut World) {
    if world.markets.is_empty() {
        return create(world);
    }
    // Mostly the latest ones.
    let back = world.below(world.markets.len().min(2) as u64) as usize;
    let market = world.markets[world.markets.len() - 1 - back];
    // What comes too seldom is tried more often.
    match world.rarest(&KINDS) {
        "create_market" => create(world),
        "price" => price(world, &market),
        "accrue" => accrue(world, &market),
        "collect" => collect(world, &market),
        "supply" => supply(world, &market),
        "redeem" => redeem(world, &market),
        "post" => post(world, &market),
        "take" => take(world, &market),
        "borrow" => borrow(world, &market),
        "repay" => repay(world, &market),
        _ => liquidate(world, &market),
    }
}

fn element(world: &World, at: Index, place: usize) -> u64 {
    world.get(at).0[place].as_canonical_u64()
}

fn create(world: &mut World) {
    let loan = world.below(ASSETS);
    let collateral = (loan + 1 + world.below(ASSETS - 1)) % ASSETS;
    let price = world.fresh();
    let body = Price {
        index: price,
        price: SCALE,
        time: world.time,
        feeder: owner(FEEDER),
    };
    world.run(Some(FEEDER), &body, None);
    let at = world.fresh();
    world.fresh();
    let creator = world.person();
    let rates = Rates {
        slope1: world.below(1 << 20) as u32,
        slope2: world.below(1 << 22) as u32,
        fee: 1 + world.below(250_000) as u32,
    };
    let body = CreateMarket {
        market: at,
        loan,
        collateral,
        price,
        share_vault: world.place(creator, SHARES + Asset::from(at)),
        lltv: 500_000 + world.below(480_000) as u32,
        scale: SCALE,
        rates,
        signer: world.signer(creator, loan),
    };
    if world.run(Some(creator), &body, None) {
        world.markets.push(Market {
            at,
            loan,
            collateral,
            price,
            creator,
            rates,
        });
        let market = world.markets[world.markets.len() - 1];
        for _ in 0..3 {
            supply(world, &market);
            post(world, &market);
            borrow(world, &market);
        }
    }
}

/// Moves a price by up to a third, as of now.
fn price(world: &mut World, market: &Market) {
    let old = element(world, market.price, 1);
    // Back towards where it began, and away from it.
    let new = match world.below(4) {
        0 => old - old / 3,
        1 => old + old / 3,
        2 => old - old / 20,
        _ => (old + SCALE) / 2,
    };
    let body = Price {
        index: market.price,
        price: new.max(1),
        time: world.time,
        feeder: owner(FEEDER),
    };
    world.run(Some(FEEDER), &body, None);
}

fn accrue(world: &mut World, market: &Market) {
    let last = element(world, market.at, 5);
    if last == world.time {
        world.later();
        price(world, market);
    }
    let body = Accrue {
        market: market.at,
        until: world.time.min(last + MAX_ELAPSED),
        rates: market.rates,
    };
    world.run(None, &body, None);
}

/// What needs the market's time and a price has both.
fn refresh(world: &mut World, market: &Market) {
    if element(world, market.at, 5) != world.time {
        accrue(world, market);
    }
    if element(world, market.price, 2) + 3_600 < world.time {
        price(world, market);
    }
}

/// After interest was counted, on what is borrowed.
fn collect(world: &mut World, market: &Market) {
    if element(world, market.at, 3) < 1 << 20 {
        indebted(world, market);
    }
    world.time += 1 + world.random.below(1 << 20);
    accrue(world, market);
    let share_vault = world.place(market.creator, SHARES + Asset::from(market.at));
    let body = Collect {
        market: market.at,
        share_vault,
    };
    world.run(None, &body, None);
}

fn supply(world: &mut World, market: &Market) {
    let amount = world.amount();
    supply_amount(world, market, amount);
}

fn supply_amount(world: &mut World, market: &Market, amount: u64) {
    refresh(world, market);
    let person = world.person();
    let body = Supply {
        market: market.at,
        share_vault: world.place(person, SHARES + Asset::from(market.at)),
        amount,
        limit: 0,
        signer: world.signer(person, market.loan),
    };
    world.run(Some(person), &body, None);
}

fn redeem(world: &mut World, market: &Market) {
    refresh(world, market);
    let person = world.person();
    let share_vault = world.place(person, SHARES + Asset::from(market.at));
    if world.balance(share_vault) == 0 {
        return supply(world, market);
    }
    let held = world.balance(share_vault);
    let body = Redeem {
        market: market.at,
        share_vault,
        shares: world.below(held / 2 + 2),
        limit: 0,
        signer: world.signer(person, market.loan),
    };
    world.run(Some(person), &body, None);
}

/// A key of positions among the places: no asset has it.
fn position(world: &mut World, person: u64, market: &Market) -> Index {
    world.place(person, (1 << 40) + Asset::from(market.at))
}

fn post(world: &mut World, market: &Market) {
    let (person, amount) = (world.person(), world.amount());
    post_amount(world, market, person, amount);
}

fn post_amount(world: &mut World, market: &Market, person: u64, amount: u64) {
    let body = Post {
        market: market.at,
        position: position(world, person, market),
        amount,
        signer: world.signer(person, market.collateral),
    };
    world.run(Some(person), &body, None);
}

fn take(world: &mut World, market: &Market) {
    let person = world.person();
    let position = position(world, person, market);
    if element(world, position, 2) < 100 {
        let amount = 1_000 + world.amount();
        post_amount(world, market, person, amount);
    }
    refresh(world, market);
    let held = element(world, position, 2);
    let body = Take {
        market: market.at,
        position,
        price: market.price,
        amount: world.below(held / 4 + 2),
        signer: world.signer(person, market.collateral),
    };
    world.run(Some(person), &body, None);
}

/// About as much as the collateral allows.
fn borrow(world: &mut World, market: &Market) {
    refresh(world, market);
    let person = world.person();
    let position = position(world, person, market);
    let (held, price) = (element(world, position, 2), element(world, market.price, 1));
    let worth = u128::from(held) * u128::from(price) / u128::from(SCALE);
    let free = element(world, market.at, 1).saturating_sub(element(world, market.at, 3));
    let most = u64::try_from(worth).unwrap_or(MOST).min(free);
    let body = Borrow {
        market: market.at,
        position,
        price: market.price,
        amount: 1 + world.below(most / 2 + 1),
        limit: MOST,
        signer: world.signer(person, market.loan),
    };
    world.run(Some(person), &body, None);
}

/// Somebody who owes something to the market: who posts and borrows, if nobody does.
fn indebted(world: &mut World, market: &Market) -> u64 {
    let person = world.person();
    let position = position(world, person, market);
    if element(world, position, 3) == 0 {
        let amount = 1 << 22;
        supply_amount(world, market, 2 * amount);
        post_amount(world, market, person, 4 * amount);
        refresh(world, market);
        let body = Borrow {
            market: market.at,
            position,
            price: market.price,
            amount,
            limit: MOST,
            signer: world.signer(person, market.loan),
        };
        world.run(Some(person), &body, None);
    }
    person
}

fn repay(world: &mut World, market: &Market) {
    let person = indebted(world, market);
    refresh(world, market);
    let position = position(world, person, market);
    let owed = element(world, position, 3);
    let shares = match world.below(4) {
        0 => owed,
        _ => world.below(owed + 1),
    };
    let body = Repay {
        market: market.at,
        position,
        shares,
        limit: MOST,
        signer: world.signer(person, market.loan),
    };
    world.run(Some(person), &body, None);
}

/// Borrows nearly all that a new collateral allows, lets its price fall, and liquidates: a part, or
/// all of the collateral, which leaves a bad debt.
fn liquidate(world: &mut World, market: &Market) {
    let (person, other) = (world.person(), world.person());
    let position = position(world, other, market);
    let amount = 1_000 + world.amount();
    let free = element(world, market.at, 1).saturating_sub(element(world, market.at, 3));
    if free < 2 * amount {
        supply_amount(world, market, 4 * amount);
    }
    let body = Post {
        market: market.at,
        position,
        amount,
        signer: world.signer(other, market.collateral),
    };
    world.run(Some(other), &body, None);
    refresh(world, market);
    let (held, price) = (element(world, position, 2), element(world, market.price, 1));
    let worth = u128::from(held) * u128::from(price) / u128::from(SCALE);
    let lltv = u128::from(element(world, market.at + 1, 3));
    let most = u64::try_from(worth * lltv / 1_000_000).unwrap_or(MOST);
    let body = Borrow {
        market: market.at,
        position,
        price: market.price,
        amount: most - most / 50,
        limit: MOST,
        signer: world.signer(other, market.loan),
    };
    world.run(Some(other), &body, None);
    world.time += 1 + world.random.below(600);
    let body = Price {
        index: market.price,
        price: price - price * 2 / 5,
        time: world.time,
        feeder: owner(FEEDER),
    };
    world.run(Some(FEEDER), &body, None);
    accrue(world, market);
    let (held, owed) = (element(world, position, 2), element(world, position, 3));
    let seized = match world.below(3) {
        0 => held,
        1 => 1 + held / 50,
        _ => 1 + world.below(held.max(1)),
    };
    let body = Liquidate {
        market: market.at,
        position,
        price: market.price,
        to: world.place(person, market.collateral),
        seized: seized.min(held),
        shares: owed,
        limit: MOST,
        signer: world.signer(person, market.loan),
    };
    world.run(Some(person), &body, None);
    // The price comes back, for the next one.
    world.time += 1 + world.random.below(600);
    let body = Price {
        index: market.price,
        price,
        time: world.time,
        feeder: owner(FEEDER),
    };
    world.run(Some(FEEDER), &body, None);
}
