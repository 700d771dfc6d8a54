//! Markets in which people supply, borrow and are liquidated, while prices fall.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::lending::{
    Accrue, Borrow, Collect, CreateMarket, Liquidate, Post, Price, Rates, Redeem, Repay, Signer,
    Supply, Take, VIRTUAL_SHARES,
};
use shardfold_contracts::{FeePayment, Reject};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_POSITION, KIND_PRICE, KIND_TERMS, Record, SHARES, Vault,
};

use super::people::{COIN, People};
use crate::workload::{Builder, Random};

/// How long a signature is valid, in seconds.
const VALID: u64 = 3_600;
/// For so many units of the token the price is that of the coin.
const SCALE: u64 = 1_000_000;
/// What a token is worth before the batch, and in it.
const PRICES: [u64; 2] = [SCALE, SCALE * 9 / 10];
const RATES: Rates = Rates {
    slope1: 40_000,
    slope2: 750_000,
    fee: 100_000,
};
/// How much of a token's worth may be owed, and the bonus that follows from it.
const LLTV: u64 = 860_000;
const BONUS: u64 = 1_043_841;
/// What everybody has posted, in the token, and supplied, in the coin.
const POSTED: u64 = 1 << 24;
const SUPPLIED: u64 = 1 << 26;
/// What everybody owes, of the coin; one in four so much that the price falls too low for it.
const OWED: [u64; 2] = [POSTED / 2, POSTED * 85 / 100];
/// What a market has taken as its fee and not handed out, in shares.
const FEES: u64 = 1_000;
/// Large enough for every limit.
const MOST: u64 = (1 << 62) - 1;

/// One market for each of the first tokens, in which it is posted and the coin is lent. Person 0 is
/// the feeder.
#[derive(Clone, Debug)]
pub(super) struct Lending<'a> {
    people: &'a People,
    /// How many markets there are.
    markets: u32,
    /// Who has a position, and has not been liquidated.
    open: Vec<u32>,
    steps: usize,
}

impl<'a> Lending<'a> {
    pub fn new(people: &'a People, markets: u32, random: &mut Random) -> Self {
        let mut open: Vec<u32> = (1..people.count)
            .filter(|&person| people.pool_of(person) < markets)
            .collect();
        random.shuffle(&mut open);
        Self {
            people,
            markets,
            open,
            steps: 0,
        }
    }

    /// Where a market lies; its terms, its price and the share vault of its fee follow.
    const fn market(&self, market: u32) -> Index {
        self.people.end() + 4 * market
    }

    const fn price(&self, market: u32) -> Index {
        self.market(market) + 2
    }

    const fn fee_shares(&self, market: u32) -> Index {
        self.market(market) + 3
    }

    /// A person's position, which lies after all markets; the person's shares follow.
    const fn position(&self, person: u32) -> Index {
        self.market(self.markets) + 2 * person
    }

    const fn shares(&self, person: u32) -> Index {
        self.position(person) + 1
    }

    /// The first index at which nothing lies.
    pub const fn end(&self) -> Index {
        self.position(self.people.count)
    }

    const fn owes_much(person: u32) -> bool {
        person.is_multiple_of(4)
    }

    /// The records at genesis, by ascending index.
    pub fn records(&self, owner: impl Fn(u32) -> Digest) -> Vec<(Index, Record)> {
        let mut members = vec![(0_u64, 0_u64); self.markets as usize];
        for &person in &self.open {
            let (count, much) = &mut members[self.people.pool_of(person) as usize];
            *count += 1;
            *much += u64::from(Self::owes_much(person));
        }
        let mut records = vec![];
        for (market, &(count, much)) in (0..self.markets).zip(&members) {
            let borrowed = (count - much) * OWED[0] + much * OWED[1];
            records.extend(self.opened(market, count * SUPPLIED, borrowed, owner(0)));
        }
        let mut people = self.open.clone();
        people.sort_unstable();
        for person in people {
            let market = self.market(self.people.pool_of(person));
            let owed = OWED[usize::from(Self::owes_much(person))];
            let shares = Vault {
                owner: owner(person),
                asset: SHARES + Asset::from(market),
                balance: SUPPLIED * VIRTUAL_SHARES,
                nonce: 0,
            };
            let position = [KIND_POSITION, market.into(), POSTED, owed * VIRTUAL_SHARES];
            records.push((self.position(person), record(position, owner(person))));
            records.push((self.shares(person), shares.into()));
        }
        records
    }

    fn opened(
        &self,
        market: u32,
        supplied: u64,
        borrowed: u64,
        feeder: Digest,
    ) -> [(Index, Record); 4] {
        let at = self.market(market);
        let totals = [
            KIND_MARKET,
            supplied,
            supplied * VIRTUAL_SHARES + FEES,
            borrowed,
            borrowed * VIRTUAL_SHARES,
            0,
            COIN,
            FEES,
        ];
        let rates = RATES.packed().as_canonical_u64();
        let terms = [
            KIND_TERMS,
            People::token(market),
            self.price(market).into(),
            LLTV,
            BONUS,
            SCALE,
            rates,
            self.fee_shares(market).into(),
        ];
        let fees = Vault {
            owner: feeder,
            asset: SHARES + Asset::from(at),
            balance: 0,
            nonce: 0,
        };
        [
            (at, Record(totals.map(F::from_u64))),
            (at + 1, Record(terms.map(F::from_u64))),
            (
                self.price(market),
                record([KIND_PRICE, PRICES[0], 0, 0], feeder),
            ),
            (self.fee_shares(market), fees.into()),
        ]
    }

    /// The next transaction: first each market has its price and its interest written; then people
    /// come, and whoever owes too much is liquidated.
    ///
    /// # Panics
    /// Never: it is valid.
    pub fn next(&mut self, builder: &mut Builder, random: &mut Random) {
        let step = self.steps;
        self.steps += 1;
        let market = (step / 2) as u32;
        if market < self.markets {
            return match step % 2 {
                0 => self.write_price(builder, market),
                _ => self.accrue(builder, market),
            };
        }
        let person = self.open[step % self.open.len()];
        let position = builder.get(self.position(person)).0;
        let owed = number(position[3]);
        if Self::owes_much(person) && owed > OWED[1] * VIRTUAL_SHARES / 2 {
            return self.liquidate(builder, random, person);
        }
        match random.below(6) {
            0 => self.supply(builder, random, person),
            1 => self.redeem(builder, random, person),
            2 => self.post(builder, random, person),
            3 => self.take(builder, random, person),
            4 if owed > 1_000 * VIRTUAL_SHARES => self.repay(builder, random, person),
            _ => self.borrow(builder, random, person),
        }
    }

    /// One transaction of each kind: prices and interest first; then a market that is opened, and what
    /// people do in one that is there.
    pub fn every_kind(&self, builder: &mut Builder, random: &mut Random) {
        self.write_price(builder, 0);
        self.accrue(builder, 0);
        let collect = Collect {
            market: self.market(0),
            share_vault: self.fee_shares(0),
        };
        valid(builder.push_body(None, &collect));
        let market = self.end() + 100;
        let create = CreateMarket {
            market,
            loan: COIN,
            collateral: People::token(0),
            price: self.price(0),
            share_vault: market + 2,
            lltv: 860_000,
            scale: SCALE,
            rates: RATES,
            signer: self.coins(builder, random, 0),
        };
        valid(builder.push_body(Some(0), &create));
        let members = || self.open.iter().copied();
        let healthy = members().find(|&person| !Self::owes_much(person));
        let unhealthy = members().find(|&person| Self::owes_much(person));
        let (healthy, unhealthy) = (healthy.unwrap_or(1), unhealthy.unwrap_or(4));
        self.supply(builder, random, healthy);
        self.redeem(builder, random, healthy);
        self.post(builder, random, healthy);
        self.take(builder, random, healthy);
        self.repay(builder, random, healthy);
        self.borrow(builder, random, healthy);
        self.liquidate(builder, random, unhealthy);
    }

    fn write_price(&self, builder: &mut Builder, market: u32) {
        let body = Price {
            index: self.price(market),
            price: PRICES[1],
            time: builder.time(),
            feeder: builder.key_owner(0),
        };
        valid(builder.push_body(Some(0), &body));
    }

    fn accrue(&self, builder: &mut Builder, market: u32) {
        let body = Accrue {
            market: self.market(market),
            until: builder.time(),
            rates: RATES,
        };
        valid(builder.push_body(None, &body));
    }

    /// Signs with the vault of the coin.
    fn coins(&self, builder: &Builder, random: &mut Random, person: u32) -> Signer {
        let fees = self.people.coin_fees();
        signer(builder, random, People::coins(person), fees)
    }

    /// Signs with the vault of the token.
    fn tokens(&self, builder: &Builder, random: &mut Random, person: u32) -> Signer {
        let fees = self.people.token_fees(self.people.pool_of(person));
        signer(builder, random, People::tokens(person), fees)
    }

    fn market_of(&self, person: u32) -> Index {
        self.market(self.people.pool_of(person))
    }

    fn price_of(&self, person: u32) -> Index {
        self.price(self.people.pool_of(person))
    }

    fn supply(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Supply {
            market: self.market_of(person),
            share_vault: self.shares(person),
            amount: 1_000 + random.below(1_000),
            limit: 1,
            signer: self.coins(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    fn redeem(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Redeem {
            market: self.market_of(person),
            share_vault: self.shares(person),
            shares: VIRTUAL_SHARES * (100 + random.below(1_000)),
            limit: 1,
            signer: self.coins(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    fn post(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Post {
            market: self.market_of(person),
            position: self.position(person),
            amount: 1_000 + random.below(1_000),
            signer: self.tokens(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    fn take(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Take {
            market: self.market_of(person),
            position: self.position(person),
            price: self.price_of(person),
            amount: 1 + random.below(100),
            signer: self.tokens(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    fn borrow(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Borrow {
            market: self.market_of(person),
            position: self.position(person),
            price: self.price_of(person),
            amount: 1 + random.below(100),
            limit: MOST,
            signer: self.coins(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    fn repay(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let body = Repay {
            market: self.market_of(person),
            position: self.position(person),
            shares: VIRTUAL_SHARES * (1 + random.below(1_000)),
            limit: MOST,
            signer: self.coins(builder, random, person),
        };
        valid(builder.push_body(Some(person as usize), &body));
    }

    /// Three quarters of the debt, by whoever comes next and has the same token.
    fn liquidate(&self, builder: &mut Builder, random: &mut Random, person: u32) {
        let pool = self.people.pool_of(person);
        let liquidator = (0..).map(|i| self.open[(self.steps + i) % self.open.len()]);
        let mut others = liquidator.filter(|&other| self.people.pool_of(other) == pool);
        let liquidator = others.next().unwrap_or(person);
        let shares = OWED[1] * VIRTUAL_SHARES * 3 / 4;
        let body = Liquidate {
            market: self.market_of(person),
            position: self.position(person),
            price: self.price_of(person),
            to: People::tokens(liquidator),
            seized: POSTED / 2,
            shares,
            limit: MOST,
            signer: self.coins(builder, random, liquidator),
        };
        valid(builder.push_body(Some(liquidator as usize), &body));
    }
}

fn signer(builder: &Builder, random: &mut Random, vault: Index, fees: Index) -> Signer {
    Signer {
        vault,
        nonce: builder.nonce(vault),
        valid_until: builder.time() + VALID,
        fee: FeePayment {
            amount: 1 + random.below(9),
            vault: fees,
        },
    }
}

fn record(start: [u64; 4], owner: Digest) -> Record {
    let [a, b, c, d] = start.map(F::from_u64);
    let [o0, o1, o2, o3] = owner;
    Record([a, b, c, d, o0, o1, o2, o3])
}

fn number(element: F) -> u64 {
    element.as_canonical_u64()
}

fn valid(pushed: Result<(), Reject>) {
    pushed.expect("everybody has enough, and markets are deep");
}
