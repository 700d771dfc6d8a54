//! People, what they have, and the oracle.

use std::collections::{BTreeMap, HashMap};

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::exchange::MIN_SHARES;
use shardfold_contracts::lending::Signer;
use shardfold_contracts::readings::{Authority, Context, Effect, Prepared};
use shardfold_contracts::set::standard;
use shardfold_contracts::{Body, FeePayment};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, KIND_VAULT, Record, SHARES,
    Vault,
};

use crate::prepare::{digests_of, prepared};
use crate::workload::Random;

/// How many people there are; the last one is the operator.
pub const PEOPLE: u64 = 12;
/// Assets of the base chain.
pub const ASSETS: u64 = 3;
const CHAIN_ID: u64 = 9;
/// What each vault of an asset of the base chain holds at first.
const BALANCE: u64 = 1 << 56;

/// A payout that can still be paid.
pub struct OpenPayout {
    pub index: Index,
    pub payer: u64,
    pub entries: Vec<shardfold_contracts::payout::Entry>,
    pub rests: Vec<Digest>,
    pub paid: usize,
}

pub struct World {
    pub random: Random,
    pub records: HashMap<Index, Record>,
    pub time: u64,
    pub queue_count: u64,
    /// Where a person has an asset.
    places: HashMap<(u64, Asset), Index>,
    /// Nothing lies from here on.
    free: Index,
    pub pools: Vec<Index>,
    pub markets: Vec<super::lending::Market>,
    pub payouts: Vec<OpenPayout>,
    pub accepted: u64,
    pub counts: BTreeMap<&'static str, u64>,
    effect: Effect,
}

pub fn owner(person: u64) -> Digest {
    core::array::from_fn(|i| F::from_u64(100 * person + i as u64 + 1))
}

pub const fn chain_id() -> u64 {
    CHAIN_ID
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut world = Self {
            random: Random::new(seed),
            records: HashMap::new(),
            time: 1_000_000,
            queue_count: 0,
            places: HashMap::new(),
            free: 0,
            pools: vec![],
            markets: vec![],
            payouts: vec![],
            accepted: 0,
            counts: BTreeMap::new(),
            effect: Effect::default(),
        };
        for person in 0..PEOPLE {
            for asset in 0..ASSETS {
                let index = world.place(person, asset);
                let vault = Vault {
                    owner: owner(person),
                    asset,
                    balance: BALANCE,
                    nonce: 0,
                };
                world.records.insert(index, vault.into());
            }
        }
        world
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    /// Mostly small, seldom large.
    pub fn amount(&mut self) -> u64 {
        let bits = 1 + self.below(36);
        self.below(1 << bits)
    }

    /// Anybody but the operator.
    pub fn person(&mut self) -> u64 {
        self.below(PEOPLE - 1)
    }

    /// An index at which nothing lies, and nothing will but by who asks.
    pub fn fresh(&mut self) -> Index {
        self.free += 1;
        self.free - 1
    }

    /// Where a person has an asset, or will have it.
    pub fn place(&mut self, person: u64, asset: Asset) -> Index {
        if let Some(index) = self.places.get(&(person, asset)) {
            return *index;
        }
        let index = self.fresh();
        self.places.insert((person, asset), index);
        index
    }

    pub fn get(&self, index: Index) -> Record {
        self.records.get(&index).copied().unwrap_or(Record::EMPTY)
    }

    pub fn nonce(&self, index: Index) -> u64 {
        self.get(index).vault().map_or(0, |vault| vault.nonce)
    }

    pub fn nonce_of(&mut self, person: u64, asset: Asset) -> u64 {
        let index = self.place(person, asset);
        self.nonce(index)
    }

    /// An asset of the base chain, or seldom a pool's shares.
    pub fn any_asset(&mut self) -> Asset {
        match self.pools.last() {
            Some(last) if self.random.below(5) == 0 => SHARES + Asset::from(*last),
            _ => self.random.below(ASSETS),
        }
    }

    pub fn balance(&self, index: Index) -> u64 {
        self.get(index).vault().map_or(0, |vault| vault.balance)
    }

    /// A small fee, or none; of shares none, since the operator has no vault of them.
    pub fn fee(&mut self, asset: Asset) -> FeePayment {
        let amount = if asset < ASSETS { self.below(3) } else { 0 };
        FeePayment {
            amount,
            vault: self.place(PEOPLE - 1, asset),
        }
    }

    pub fn signer(&mut self, person: u64, asset: Asset) -> Signer {
        let vault = self.place(person, asset);
        Signer {
            vault,
            nonce: self.nonce(vault),
            valid_until: self.time + 10,
            fee: self.fee(asset),
        }
    }

    /// In half of the cases the kind of which fewest were accepted, else any.
    pub fn rarest(&mut self, kinds: &[&'static str]) -> &'static str {
        if self.below(2) == 0 {
            let count = |kind: &&&'static str| self.counts.get(**kind).copied().unwrap_or(0);
            return kinds.iter().min_by_key(count).copied().unwrap_or_default();
        }
        kinds[self.below(kinds.len() as u64) as usize]
    }

    /// Time passes, prices move.
    pub fn later(&mut self) {
        self.time += 1 + self.random.below(40_000);
    }

    /// Runs a transaction, signed by a person or by nobody; if it is accepted, nothing may have been
    /// made or lost but what `made` says of an asset.
    pub fn run(
        &mut self,
        signer: Option<u64>,
        body: &impl Body,
        made: Option<(Asset, i128)>,
    ) -> bool {
        let transaction = body.unsigned();
        let chain_id = F::from_u64(CHAIN_ID);
        let digests = digests_of(standard(), core::slice::from_ref(&transaction), chain_id);
        let authority = signer.map_or(Authority::NONE, |person| Authority {
            owner: owner(person),
            has_signed: true,
        });
        let prepared: Prepared = prepared(&digests[0], authority);
        let context = Context {
            chain_id,
            time: self.time,
            queue_count: self.queue_count,
        };
        let records = &self.records;
        let read = |index: Index| records.get(&index).copied().unwrap_or(Record::EMPTY);
        let effect = &mut self.effect;
        let run = standard().run(&transaction, &prepared, &context, &read, effect);
        if run.is_err() {
            return false;
        }
        let mut touched: Vec<Index> = self.effect.writes.iter().map(|(index, _)| *index).collect();
        touched.extend(self.effect.fee.map(|fee| fee.vault));
        touched.sort_unstable();
        touched.dedup();
        let before = self.sums(touched.iter().copied());
        self.records.extend(self.effect.writes.iter().copied());
        if let Some(fee) = self.effect.fee {
            let credited = self.get(fee.vault).credited(fee.amount);
            self.records.insert(fee.vault, credited);
        }
        self.queue_count += u64::from(self.effect.entries.queued.is_some());
        let mut expected = before;
        if let Some((asset, change)) = made {
            *expected.entry(asset).or_default() += change;
        }
        expected.retain(|_, sum| *sum != 0);
        let mut found = self.sums(touched.iter().copied());
        found.retain(|_, sum| *sum != 0);
        assert_eq!(found, expected, "{transaction:?}");
        self.accepted += 1;
        *self.counts.entry(name(transaction.kind)).or_default() += 1;
        true
    }

    /// What these records hold of each asset; of shares, what vaults hold less what was given out.
    fn sums(&self, indices: impl Iterator<Item = Index>) -> BTreeMap<Asset, i128> {
        let mut sums = BTreeMap::new();
        for index in indices {
            for (asset, amount) in held(index, &|index| self.get(index)) {
                *sums.entry(asset).or_default() += amount;
            }
        }
        sums
    }

    /// Shares of all pools and markets add up to what these have given out.
    pub fn check_all(&self) {
        let sums = self.sums(self.records.keys().copied());
        for (asset, sum) in sums {
            assert!(
                asset < ASSETS || sum == 0,
                "{sum} shares too many of {asset}"
            );
        }
    }
}

/// What the record at an index holds of each asset; of the shares that it gives out, so much less.
pub fn held(index: Index, get: &dyn Fn(Index) -> Record) -> Vec<(Asset, i128)> {
    let numbers = |index| get(index).0.map(|element| element.as_canonical_u64());
    let whole = |amount: u64| i128::from(amount);
    let share = SHARES + Asset::from(index);
    match numbers(index) {
        [KIND_VAULT, asset, balance, ..] => vec![(asset, whole(balance))],
        [KIND_POOL, a, b, reserve_a, reserve_b, shares, ..] => vec![
            (a, whole(reserve_a)),
            (b, whole(reserve_b)),
            (share, whole(MIN_SHARES) - whole(shares)),
        ],
        [
            KIND_MARKET,
            supplied,
            shares,
            borrowed,
            _,
            _,
            loan,
            fee_shares,
        ] => vec![
            (loan, whole(supplied) - whole(borrowed)),
            (share, whole(fee_shares) - whole(shares)),
        ],
        [KIND_POSITION, market, collateral, ..] => {
            let terms = numbers(u32::try_from(market).expect("an index") + 1);
            vec![(terms[1], whole(collateral))]
        }
        [KIND_PAYOUT, asset, remaining, ..] => vec![(asset, whole(remaining))],
        _ => vec![],
    }
}

fn name(kind: shardfold_protocol::transaction::Kind) -> &'static str {
    let mut list = standard().list();
    let law =
        list.find(|law| shardfold_protocol::transaction::Kind::named(law.name()) == Some(kind));
    law.map_or("unknown", |law| law.name())
}
