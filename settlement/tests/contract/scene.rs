//! A ledger with a pool, a market, positions and a payout.

use alloy_primitives::{Address, U256};
use p3_field::PrimeCharacteristicRing;
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::Body;
use shardfold_contracts::exchange::CreatePool;
use shardfold_contracts::lending::{Borrow, CreateMarket, Post, Price, Rates, Signer, Supply};
use shardfold_contracts::payout::{Entry, Payout, list_of};
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::encoding::{head_bytes, record_words, word};
use shardfold_settlement::interface::IRollup::{
    dueCall, openCall, payDueCall, redeemCall, repayCall,
};

use crate::common::chain::Failed;
use crate::common::world::{COIN, FREE, LEDGER, World, account, coin, key, owner, signed, user};
use crate::freeze::escape_of;
use crate::test_artefact;
use crate::tokens::token;

pub const POOL: Index = 10;
const PRICE: Index = 20;
pub const MARKET: Index = 30;
pub const DEBTOR: Index = 40;
pub const FREE_POSITION: Index = 41;
pub const PAYOUT: Index = 50;
/// Shares of the pool and of the market.
pub const POOL_SHARES: u64 = (1 << 32) + POOL as u64;
pub const MARKET_SHARES: u64 = (1 << 32) + MARKET as u64;
pub const MONTH: u64 = 30 * 24 * 3_600;

/// A world with one of each; users 1 to 4 have coin in vaults 1 to 4 and the token in 5 to 8.
pub struct Scene {
    /// The ledger and its contract.
    pub world: World,
    /// The token.
    pub token: Address,
    /// Its number.
    pub asset: u32,
}

/// Bodies of one batch, with the nonces that their vaults have.
struct Bodies {
    nonces: [u64; 16],
    until: u64,
    transactions: Vec<Transaction>,
}

impl Bodies {
    /// The next nonce of a vault.
    fn nonce(&mut self, vault: Index) -> u64 {
        let nonce = &mut self.nonces[vault as usize];
        *nonce += 1;
        *nonce - 1
    }

    fn signer(&mut self, vault: Index) -> Signer {
        Signer {
            vault,
            nonce: self.nonce(vault),
            valid_until: self.until,
            fee: FREE,
        }
    }

    fn push(&mut self, i: u8, body: &impl Body) {
        self.transactions.push(signed(&account(i), body));
    }
}

impl Scene {
    pub fn new(fork: SpecId) -> Self {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("RefusingToken"), 0);
        let mut transactions = vec![];
        for i in 1..5_u8 {
            world.deposit(i, 200_000, 0);
            world.deposit_as(1, asset, 240_000, 0, owner(i));
            let position = world.items.len() - 2;
            transactions.push(world.taking(position, i.into()));
            transactions.push(world.taking(position + 1, Index::from(i) + 4));
        }
        let until = world.chain.time + 3_600;
        let mut bodies = Bodies {
            nonces: [0; 16],
            until,
            transactions,
        };
        pool(&mut bodies, asset);
        market(&mut bodies, asset);
        payout(&mut bodies);
        world.settle(bodies.transactions);
        Self {
            world,
            token,
            asset,
        }
    }

    /// What opens a record.
    pub fn opening(&self, index: Index) -> openCall {
        let proof = self.world.state.tree().prove_record(index);
        openCall {
            head: head_bytes(self.world.state.head()).into(),
            index,
            record: record_words(&proof.record),
            siblings: proof.siblings.map(|sibling| word(&sibling)),
        }
    }

    /// Opens records; returns the gas of them together.
    pub fn open(&mut self, indices: &[Index]) -> u64 {
        let mut gas = 0;
        for &index in indices {
            let call = self.opening(index);
            let sent = self
                .world
                .chain
                .send(user(99), self.world.rollup, U256::ZERO, &call);
            gas += sent.expect("it is in the state").1.gas;
        }
        gas
    }

    pub fn due(&self, i: u8, asset: u64) -> u64 {
        let call = dueCall {
            owner: user(i),
            asset: U256::from(asset),
        };
        self.world.ask(&call).to()
    }

    pub fn redeem(&mut self, i: u8, asset: u64) -> Result<(), Failed> {
        let call = redeemCall {
            asset: U256::from(asset),
            to: user(i),
        };
        self.world.call(user(99), &call).map(|_| ())
    }

    /// Repays a position's debt as somebody, with so much coin.
    pub fn repay(&mut self, who: u8, index: Index, i: u8, units: u64) -> Result<(), Failed> {
        let call = repayCall {
            index,
            key: key(i),
            to: user(i),
        };
        let (chain, rollup) = (&mut self.world.chain, self.world.rollup);
        chain
            .send(user(who), rollup, coin(units), &call)
            .map(|_| ())
    }

    pub fn escape(&mut self, index: Index, i: u8) {
        let call = escape_of(&self.world, index, i);
        self.world.call(user(99), &call).expect("it is the owner's");
    }

    pub fn pay_due(&mut self, i: u8, asset: u32) -> Result<(), Failed> {
        let call = payDueCall {
            asset: U256::from(asset),
            to: user(i),
        };
        self.world.call(user(99), &call).map(|_| ())
    }
}

/// A pool of 100,000 coin and 50,000 of the token: 70,710 shares, of which user 1 has all but 1,000.
fn pool(bodies: &mut Bodies, asset: u32) {
    let body = CreatePool {
        pool: POOL,
        from_a: 1,
        from_b: 5,
        to: POOL + 1,
        asset_a: COIN.into(),
        asset_b: asset.into(),
        amount_a: 100_000,
        amount_b: 50_000,
        swap_fee: 3_000,
        valid_until: bodies.until,
        fee: FREE,
        nonce: bodies.nonce(1),
    };
    bodies.push(1, &body);
}

/// A market of coin against the token, one for one: users 1 and 2 supply, user 3 borrows, user 4 has
/// collateral alone.
fn market(bodies: &mut Bodies, asset: u32) {
    let price = Price {
        index: PRICE,
        price: 1_000,
        time: bodies.until - 3_600,
        feeder: owner(4),
    };
    bodies.push(4, &price);
    let create = CreateMarket {
        market: MARKET,
        loan: COIN.into(),
        collateral: asset.into(),
        price: PRICE,
        share_vault: MARKET + 2,
        lltv: 800_000,
        scale: 1_000,
        rates: Rates {
            slope1: 40_000,
            slope2: 100_000,
            fee: 100_000,
        },
        signer: bodies.signer(1),
    };
    bodies.push(1, &create);
    for (i, amount) in [(1, 60_000), (2, 30_000)] {
        let supply = Supply {
            market: MARKET,
            share_vault: MARKET + 2 + Index::from(i),
            amount,
            limit: 1,
            signer: bodies.signer(i.into()),
        };
        bodies.push(i, &supply);
    }
    for (i, position, amount) in [(3, DEBTOR, 80_000), (4, FREE_POSITION, 9_000)] {
        let post = Post {
            market: MARKET,
            position,
            amount,
            signer: bodies.signer(Index::from(i) + 4),
        };
        bodies.push(i, &post);
    }
    let borrow = Borrow {
        market: MARKET,
        position: DEBTOR,
        price: PRICE,
        amount: 45_000,
        limit: 1 << 61,
        signer: bodies.signer(3),
    };
    bodies.push(3, &borrow);
}

/// User 2 puts 700 aside.
fn payout(bodies: &mut Bodies) {
    let list = list_of(F::from_u64(LEDGER), &[Entry { to: 3, amount: 700 }]);
    let body = Payout {
        from: 2,
        index: PAYOUT,
        asset: COIN.into(),
        total: 700,
        list: list[0],
        valid_until: bodies.until,
        fee: FREE,
        nonce: bodies.nonce(2),
    };
    bodies.push(2, &body);
}
