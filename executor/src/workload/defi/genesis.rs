//! The state before the batch.

use shardfold_contracts::exchange::Pool;
use shardfold_protocol::record::{Asset, Record, Vault};
use shardfold_protocol::state::{State, StateFile};

use super::lending::Lending;
use super::people::{COIN, People};
use crate::workload::{BALANCE, CHAIN_ID, Keys};

/// What a pool holds of each side.
const RESERVE: u64 = 1 << 44;
/// What a swap pays: three in a thousand.
const FEE: u64 = 3_000;

/// Everybody's vaults, the pools, whose shares nobody here has, and the markets with their positions.
///
/// # Panics
/// Never: these records are well formed.
pub(super) fn state(keys: &Keys, people: &People, lending: &Lending) -> State {
    let mut file = StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults: vec![],
        records: vec![],
    };
    let vault = |person: u32, asset: Asset, balance: u64| {
        Record::from(Vault {
            owner: keys.owner(person as usize),
            asset,
            balance,
            nonce: 0,
        })
    };
    for person in 0..people.count {
        let token = People::token(people.pool_of(person));
        file.push(People::coins(person), vault(person, COIN, BALANCE));
        file.push(People::tokens(person), vault(person, token, BALANCE));
    }
    for pool in 0..people.pools {
        file.push(people.pool(pool), opened(pool).into());
    }
    for pool in 0..people.pools {
        file.push(people.token_fees(pool), vault(0, People::token(pool), 0));
    }
    file.push(people.coin_fees(), vault(0, COIN, 0));
    for (index, record) in lending.records(|person| keys.owner(person as usize)) {
        file.push(index, record);
    }
    State::try_from(&file).expect("ascending records with small balances")
}

fn opened(pool: u32) -> Pool<u64> {
    Pool {
        asset_a: COIN,
        asset_b: People::token(pool),
        reserve_a: RESERVE,
        reserve_b: RESERVE,
        shares: RESERVE,
        fee: FEE,
    }
}
