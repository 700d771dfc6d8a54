//! One batch with a transaction of every kind of the standard list, each through every path.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::FeePayment;
use shardfold_contracts::exchange::{AddLiquidity, CreatePool, RemoveLiquidity, SwapIn, SwapOut};
use shardfold_contracts::payout::{CancelPayout, Entry, Pay, Payout, list_of};
use shardfold_protocol::address::Address;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;

use super::lending::Lending;
use super::people::{COIN, People};
use super::{Traffic, genesis};
use crate::workload::{Builder, CHAIN_ID, Keys, Random, Workload};

/// How long signatures are valid, in seconds.
const VALID: u64 = 3_600;
/// Large enough for every limit.
const MOST: u64 = (1 << 62) - 1;
/// The one who does what is not lending.
const ALICE: u32 = 2;

const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

/// Returns a state and a batch on it: all 23 kinds, swaps through one and two pools, payments of one and
/// of three entries. So many more transfers follow, which fill a shard of a larger shape.
///
/// # Panics
/// Never: every transaction is valid.
#[must_use]
pub fn every_kind(transfers: usize) -> Workload {
    let keys = Keys::new(1, 24);
    let mut random = Random::new(1);
    let people = People::new(24, 2, &mut random);
    let lending = Lending::new(&people, Traffic::HotPool.pools(), &mut random);
    let state = genesis::state(&keys, &people, &lending);
    let mut builder = Builder::new(&keys, &state);
    let mut batch = Batch {
        people: &people,
        builder: &mut builder,
        free: lending.end(),
    };
    batch.payments();
    batch.exchange();
    batch.payouts();
    lending.every_kind(&mut builder, &mut random);
    for i in 0..transfers {
        let [from, to] = [7 + i % 2, 8 - i % 2].map(|person| People::coins(person as u32));
        let body = builder.transfer(from, to, 1, NO_FEE);
        builder.push(body);
    }
    let batch = builder.sign();
    Workload { state, batch }
}

struct Batch<'a, 'b> {
    people: &'a People,
    builder: &'a mut Builder<'b>,
    /// Nothing lies from here on.
    free: Index,
}

impl Batch<'_, '_> {
    fn fresh(&mut self) -> Index {
        self.free += 1;
        self.free - 1
    }

    fn push(&mut self, signer: Option<u32>, body: &impl shardfold_contracts::Body) {
        let signer = signer.map(|person| person as usize);
        let pushed = self.builder.push_body(signer, body);
        pushed.expect("everybody has enough");
    }

    fn until(&self) -> u64 {
        self.builder.time() + VALID
    }

    fn nonce(&self) -> u64 {
        self.builder.nonce(People::coins(ALICE))
    }

    fn payments(&mut self) {
        let [from, to] = [ALICE, ALICE + 1].map(People::coins);
        let fee = FeePayment {
            amount: 3,
            vault: self.people.coin_fees(),
        };
        for body in [
            self.builder.transfer(from, to, 100, fee),
            self.builder.deposit(to, 250, fee),
        ] {
            self.builder.push(body);
        }
        let body = self.builder.withdraw(from, 70, fee, Address([7; 20]));
        self.builder.push(body);
        let body = self.builder.exit(People::coins(5), 5);
        self.builder.push(body);
    }

    /// A pool of the two tokens, of which Alice buys the other one first.
    fn exchange(&mut self) {
        let own = self.people.pool_of(ALICE);
        let other = 1 - own;
        let (coins, tokens, others) = (People::coins(ALICE), People::tokens(ALICE), self.fresh());
        let swap = SwapOut {
            asset_out: People::token(other),
            amount_out: 1_000_000,
            pools: vec![self.people.pool(other)],
            asset_in: COIN,
            from: coins,
            to: others,
            max_in: MOST,
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.nonce(),
        };
        self.push(Some(ALICE), &swap);
        let (pool, shares) = (self.fresh(), self.fresh());
        let create = CreatePool {
            pool,
            from_a: tokens,
            from_b: others,
            to: shares,
            asset_a: People::token(own),
            asset_b: People::token(other),
            amount_a: 500_000,
            amount_b: 500_000,
            swap_fee: 3_000,
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.builder.nonce(tokens),
        };
        self.push(Some(ALICE), &create);
        let add = AddLiquidity {
            pool,
            from_a: tokens,
            from_b: others,
            to: shares,
            shares: 1_001,
            max_a: MOST,
            max_b: MOST,
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.builder.nonce(tokens),
        };
        self.push(Some(ALICE), &add);
        let remove = RemoveLiquidity {
            pool,
            to_a: tokens,
            to_b: others,
            from: shares,
            shares: 2_000,
            min_a: 0,
            min_b: 0,
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.builder.nonce(tokens),
        };
        self.push(Some(ALICE), &remove);
        // From the coin to the other token by Alice's, and once around.
        let paths = [
            vec![self.people.pool(own)],
            vec![self.people.pool(own), pool],
        ];
        for (pools, asset_out, to) in paths
            .into_iter()
            .zip([(own, tokens), (other, others)])
            .map(|(pools, (token, to))| (pools, People::token(token), to))
        {
            let swap = SwapIn {
                asset_in: COIN,
                amount_in: 10_000,
                pools,
                asset_out,
                from: coins,
                to,
                min_out: 1,
                valid_until: self.until(),
                fee: NO_FEE,
                nonce: self.nonce(),
            };
            self.push(Some(ALICE), &swap);
        }
    }

    fn payouts(&mut self) {
        let entries = (6..10).map(|person| Entry {
            to: People::coins(person),
            amount: 100,
        });
        let entries: Vec<Entry> = entries.collect();
        let rests = list_of(F::from_u64(CHAIN_ID), &entries);
        let (index, from) = (self.fresh(), People::coins(ALICE));
        let open = Payout {
            from,
            index,
            asset: COIN,
            total: 500,
            list: rests[0],
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.nonce(),
        };
        self.push(Some(ALICE), &open);
        for (start, end) in [(0, 1), (1, 4)] {
            let pay = Pay::new(index, &entries[start..end], rests[end]);
            self.push(None, &pay);
        }
        let cancel = CancelPayout {
            index,
            to: from,
            valid_until: self.until(),
            fee: NO_FEE,
            nonce: self.nonce(),
        };
        self.push(Some(ALICE), &cancel);
    }
}
