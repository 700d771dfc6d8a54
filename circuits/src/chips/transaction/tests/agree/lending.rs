//! Cases of lending.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::lending::{
    Accrue, Borrow, Collect, CreateMarket, Liquidate, MAX_ELAPSED, Post, Price, Rates, Redeem,
    Repay, SUPPLY_LIMIT, Signer, Supply, Take,
};
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, KIND_MARKET};

use super::super::*;
use super::exchange::{rich, until};
use super::{Case, Records};
use crate::chips::fixture::defi::{ALICES_OTHER, OPERATORS, fee_in, signed, unsigned, vault_of};
use crate::chips::fixture::lending::{self, *};

/// Assets and shares of markets are integers below 2^62 in every state that is reached: what is
/// written there was ranged. The differences that are cut off at zero compare them, and rely on it.
pub(super) fn bound_markets(case: &mut Case) {
    for record in case.records.values_mut() {
        if record.0[0] == F::from_u64(KIND_MARKET) {
            for number in &mut record.0[1..4] {
                *number = F::from_u64(number.as_canonical_u64() % (1 << 62));
            }
        }
    }
}

/// By how much the fixtures' market is multiplied, and the records with it.
fn market(random: &mut Random) -> (Records, u64) {
    let (mut records, _) = rich(random);
    // Little room for what is gained would be too much to ask for often.
    if random.below(12) > 0 {
        let balance = random.pick(&[1_000_000, 1 << 40, 1 << 45, 1 << 60]);
        for index in [ALICE, ALICES_OTHER] {
            records.insert(index, with_balance(records[&index], balance));
        }
    }
    let scale = random.pick(&[1, 1, 30, 1 << 16]);
    let mut market = market_at(NOW);
    let numbers = market.supplied.iter_mut().chain(&mut market.borrowed);
    numbers.for_each(|number| *number *= scale);
    extreme(&mut market, random);
    records.insert(MARKET, market.into());
    let shares = records[&LENT].0[1].as_canonical_u64();
    let lent = with_balance(vault_of(0, shares, 3), 20_000_000_000 * scale);
    records.insert(LENT, lent);
    let price = random.pick(&[PRICED, 1, 1 << 30]);
    if random.below(12) == 0 {
        records.insert(PRICE, price_of(price, NOW - random.below(4_500)));
    }
    (records, scale)
}

/// One of a market's numbers at an extreme.
fn extreme(market: &mut Market, random: &mut Random) {
    match random.below(40) {
        0 => market.supplied[1] = MOST - 1_024 - random.below(1 << 20),
        1 => market.supplied[0] = SUPPLY_LIMIT - 1 - random.below(1 << 15),
        2 => market.supplied = [0, 1 << 61],
        3 => market.borrowed[0] = market.supplied[0] - random.below(1_000),
        4 => market.borrowed[1] = MOST - 1_024 - random.below(1 << 20),
        5 => market.borrowed = [0, 1 << 61],
        6 => market.borrowed = [1 << 61, 0],
        7 => market.supplied = [1 << 61, 5],
        8 => market.fee_shares = 0,
        9 => market.time -= 1,
        _ => {}
    }
}

fn signing(asset: Asset, random: &mut Random) -> Signer {
    Signer {
        valid_until: until(random),
        fee: fee_in(asset, random.pick(&[0, 1, 900])),
        ..lending::signer(asset)
    }
}

/// The position of the fixtures, with so many units of collateral and shares of a debt.
fn put_position(records: &mut Records, scale: u64, random: &mut Random) {
    let collateral = (1 + random.below(1_000_000)) * scale;
    let debt = random.below(1_100_000_000) * scale;
    let [collateral, debt] = match random.below(16) {
        0 => [collateral, 0],
        1 => [MOST - random.below(1 << 20), debt],
        2 => [0, debt],
        3 => [collateral, MOST - random.below(1 << 20)],
        _ => [collateral + debt / 400, debt],
    };
    records.insert(POSITION, position_of(0, collateral, debt));
}

pub(super) fn price(random: &mut Random) -> Case {
    let (mut records, _) = rich(random);
    let last = random.pick(&[1, 7, PRICED, (1 << 61) - 1, 1 << 60]);
    records.insert(FED, price_of(last, NOW - 1 - random.below(100_000)));
    let near = match random.below(5) {
        0 => 1 + random.below(1 << 40),
        1 => last * 2,
        2 => last.div_ceil(2),
        _ => last / 2 + 1 + random.below(last),
    };
    let index = random.pick(&[FED, FED, VACANT]);
    let body = Price {
        price: match random.below(30) {
            0 => 0,
            1 => 1 << 61,
            2 => last / 2,
            3 => last * 2 + 1,
            _ => near.min((1 << 61) - 1),
        },
        time: NOW - random.pick(&[0, 0, 0, 1, 1, 65_535, 65_536]),
        ..lending::price(index)
    };
    Case::new(records, signed(&body))
}

pub(super) fn create_market(random: &mut Random) -> Case {
    let (records, _) = rich(random);
    let mut body = CreateMarket {
        lltv: random.pick(&[1, 300_000, 750_000, 980_000]),
        scale: 1 + random.below_one(&[2, 1 << 20, 1 << 61]),
        rates: Rates {
            slope1: random.below(1 << 20) as u32,
            slope2: random.below(1 << 22) as u32,
            fee: random.below(250_001) as u32,
        },
        signer: signing(ASSET, random),
        ..lending::create_market(random.pick(&[VACANT, NEW_FEES]))
    };
    match random.below(60) {
        0 => body.lltv = 0,
        1 => body.lltv = 980_001,
        2 => body.scale = 0,
        3 => body.collateral = body.loan,
        4 => body.rates.slope1 = 1 << 20,
        5 => body.rates.slope2 = 1 << 22,
        6 => body.rates.fee = 250_001,
        7 => body.market = u32::MAX - 1,
        8 => body.market = MARKET,
        _ => {}
    }
    Case::new(records, signed(&body))
}

pub(super) fn accrue(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    let at = random.pick(&[OLD_MARKET, DRY_MARKET]);
    let behind = 1 + random.below_one(&[10, 100_000, MAX_ELAPSED, 2 * MAX_ELAPSED]);
    let mut market = market_at(NOW - behind);
    let numbers = market.supplied.iter_mut().chain(&mut market.borrowed);
    numbers.for_each(|number| *number *= scale);
    if at == DRY_MARKET {
        market.borrowed[0] = market.supplied[0] - random.below(market.supplied[0] / 10);
    }
    match random.below(12) {
        0 => market.supplied[0] = SUPPLY_LIMIT - 2 + random.below(4),
        1 => market.supplied[1] = SUPPLY_LIMIT - 2 + random.below(4),
        2 => market.borrowed[0] = 0,
        3 => market.supplied = [0, (1 << 59) - 1],
        4 => (market.supplied[0], market.borrowed[0]) = (0, 1 << 58),
        _ => {}
    }
    let until = NOW - behind + behind.min(MAX_ELAPSED);
    records.insert(at, market.into());
    let body = Accrue {
        market: at,
        until: match random.below(30) {
            0 => until - 1,
            1 => until + 1,
            2 => NOW - behind,
            3 => NOW + 1,
            _ => until,
        },
        rates: match random.below(30) {
            0 => Rates {
                slope1: 1 << 20,
                ..RATES
            },
            1 => Rates {
                fee: 250_001,
                ..RATES
            },
            2 => Rates { fee: 5, ..RATES },
            _ => RATES,
        },
    };
    Case::new(records, unsigned(&body))
}

pub(super) fn collect(random: &mut Random) -> Case {
    let (mut records, _) = market(random);
    if random.below(20) == 0 {
        let full = with_balance(records[&FEES], MOST - random.below(10_000_000));
        records.insert(FEES, full);
    }
    let share_vault = if random.below(20) == 0 { LENT } else { FEES };
    let body = Collect {
        share_vault,
        ..lending::collect()
    };
    Case::new(records, unsigned(&body))
}

pub(super) fn supply(random: &mut Random) -> Case {
    let (records, scale) = market(random);
    let amount = random.below_one(&[500_000, 500_000 * scale]);
    let body = Supply {
        amount,
        limit: random.pick(&[0, 0, 0, amount / 2, amount.saturating_mul(900), 1 << 61]),
        signer: signing(ASSET, random),
        ..lending::supply(random.pick(&[LENT, VACANT]))
    };
    Case::new(records, signed(&body))
}

pub(super) fn redeem(random: &mut Random) -> Case {
    let (records, scale) = market(random);
    let shares = scale * random.below_one(&[5_000_000, 900_000_000, 25_000_000_000]);
    let body = Redeem {
        shares,
        limit: random.pick(&[0, 0, 0, 0, shares / 1_000, shares / 900]),
        signer: signing(ASSET, random),
        ..lending::redeem()
    };
    Case::new(records, signed(&body))
}

pub(super) fn post(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    put_position(&mut records, scale, random);
    let body = Post {
        amount: random.below(900_000).saturating_sub(20_000),
        signer: signing(OTHER_ASSET, random),
        ..lending::post(random.pick(&[POSITION, VACANT]))
    };
    Case::new(records, signed(&body))
}

pub(super) fn take(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    put_position(&mut records, scale, random);
    let position = random.pick(&[POSITION, FREE_POSITION]);
    let most = records[&position].0[2].as_canonical_u64() + 10;
    let body = Take {
        amount: random.below_one(&[most, most / 20 + 2, most / 2 + 2]),
        signer: signing(OTHER_ASSET, random),
        ..lending::take(position)
    };
    Case::new(records, signed(&body))
}

pub(super) fn borrow(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    put_position(&mut records, scale, random);
    let few = 1 + random.below_one(&[100_000, 100_000 * scale]);
    let many = random.below(40_000_000 * scale);
    let amount = match random.below(20) {
        0 => 0,
        1 | 2 => many,
        _ => few,
    };
    let limit = match random.below(12) {
        0 => amount,
        1 => amount.saturating_mul(1_100),
        _ => MOST,
    };
    let body = Borrow {
        amount,
        limit,
        signer: signing(ASSET, random),
        ..lending::borrow()
    };
    Case::new(records, signed(&body))
}

pub(super) fn repay(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    put_position(&mut records, scale, random);
    let debt = records[&POSITION].0[3].as_canonical_u64();
    let more = debt.saturating_add(1);
    let shares = random.pick(&[debt, debt, debt / 2, debt / 2, debt / 9, debt / 900, more]);
    let body = Repay {
        shares: if random.below(20) == 0 { 0 } else { shares },
        limit: random.pick(&[MOST, MOST, MOST, MOST, shares / 900, shares / 1_100]),
        signer: signing(ASSET, random),
        ..lending::repay()
    };
    Case::new(records, signed(&body))
}

pub(super) fn liquidate(random: &mut Random) -> Case {
    let (mut records, scale) = market(random);
    let collateral = (1 + random.below(200_000)) * scale;
    // What may be owed is 1.6 times the collateral, and a unit is 973 shares.
    let owed = collateral + collateral / 2 + random.below(2 * collateral);
    let debt = owed * 972 * random.pick(&[1, 1, 2]);
    records.insert(BAD_POSITION, position_of(1, collateral, debt));
    let some = 1 + random.below(collateral);
    let seized = random.pick(&[collateral, collateral / 2 + 1, some]);
    // Twice the collateral, less the bonus.
    let needed = u128::from(seized) * 2 * 1_000_000 / 1_063_829 * 973 + 2_000;
    let needed = u64::try_from(needed).unwrap_or(MOST);
    let to = match random.below(15) {
        0 => OPERATORS[1],
        1..6 => VACANT,
        _ => ALICES_OTHER,
    };
    let mut body = Liquidate {
        seized,
        shares: random.pick(&[needed, needed, needed.min(debt), debt]),
        limit: random.pick(&[MOST, MOST, MOST, MOST, MOST, MOST, needed / 1_100]),
        signer: signing(ASSET, random),
        ..lending::liquidate(to)
    };
    match random.below(30) {
        0 => body.seized = 0,
        1 => body.shares = 0,
        2 => body.seized = collateral + 1,
        3 => body.shares = needed * 9 / 10,
        _ => {}
    }
    Case::new(records, signed(&body))
}
