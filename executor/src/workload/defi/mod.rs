//! Traffic of exchange, payouts and lending: reproducible states and batches for tests and
//! benchmarks.
//!
//! People have a vault of the coin that everybody has and one of a token of their own choice; each
//! token has a pool with the coin. Everything is funded at genesis, and every transaction is valid.

mod airdrop;
mod every_kind;
mod genesis;
mod lending;
mod people;
mod swaps;

pub use every_kind::every_kind;

use super::{Builder, Keys, Random, Workload};

use airdrop::Airdrop;
use lending::Lending;
use people::People;
use swaps::Swaps;

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Transfers of the coin: what the others are held against.
    Transfers,
    /// Swaps through one pool, drawn of a thousand by Zipf's law.
    Swaps,
    /// Swaps through one and the same pool.
    HotPool,
    /// Prices and interest of forty markets, and then people who supply, borrow, pay back and are
    /// liquidated.
    Lending,
    /// Payouts to all people, fifteen a transaction.
    Airdrop,
    /// Three in five transfers, one in four swaps, one in ten of lending, one in twenty payouts.
    Mix,
}

impl Traffic {
    /// All of it.
    pub const ALL: [Self; 6] = [
        Self::Transfers,
        Self::Swaps,
        Self::HotPool,
        Self::Lending,
        Self::Airdrop,
        Self::Mix,
    ];

    /// Returns the name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Swaps => "swaps",
            Self::HotPool => "hot pool",
            Self::Lending => "lending",
            Self::Airdrop => "airdrop",
            Self::Mix => "mix",
        }
    }

    /// How many pools there are.
    const fn pools(self) -> u32 {
        match self {
            Self::HotPool => 1,
            _ => 1_000,
        }
    }
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefiPlan {
    /// Where all random choices come from.
    pub seed: u64,
    /// What people do.
    pub traffic: Traffic,
    /// People, each with two vaults; at least 16.
    pub people: u32,
    /// Transactions of the batch.
    pub transactions: usize,
    /// Different keys; person i has key i modulo this number. At least 1.
    pub keys: usize,
}

impl DefiPlan {
    /// Carries it out, on all threads.
    ///
    /// # Panics
    /// With fewer than 16 people or no key.
    #[must_use]
    pub fn build(&self) -> Workload {
        assert!(self.people >= 16 && self.keys > 0, "{self:?}");
        let keys = Keys::new(self.seed, self.keys);
        let mut random = Random::new(self.seed);
        let people = People::new(self.people, self.traffic.pools(), &mut random);
        let markets = self.traffic.pools().min(MARKETS);
        let lending = Lending::new(&people, markets, &mut random);
        let state = genesis::state(&keys, &people, &lending);
        let mut builder = Builder::new(&keys, &state);
        let mut steps = Steps {
            people: &people,
            swaps: Swaps::new(&people),
            airdrop: Airdrop::new(&people, lending.end()),
            lending,
            random,
        };
        for step in 0..self.transactions {
            steps.push(&mut builder, self.traffic, step);
        }
        let batch = builder.sign();
        Workload { state, batch }
    }
}

/// How many of the pools' tokens can be posted for loans.
const MARKETS: u32 = 40;

/// Everything that can come next.
struct Steps<'a> {
    people: &'a People,
    swaps: Swaps<'a>,
    airdrop: Airdrop<'a>,
    lending: Lending<'a>,
    random: Random,
}

impl Steps<'_> {
    fn push(&mut self, builder: &mut Builder, traffic: Traffic, step: usize) {
        let random = &mut self.random;
        match traffic {
            // Every other person pays, so that no vault is in two transfers while there are enough.
            Traffic::Transfers => self.people.transfer(builder, random, 2 * step),
            Traffic::Swaps | Traffic::HotPool => self.swaps.swap(builder, random, step),
            Traffic::Lending => self.lending.next(builder, random),
            Traffic::Airdrop => self.airdrop.next(builder),
            Traffic::Mix => {
                let kind = match random.below(20) {
                    0 => Traffic::Airdrop,
                    1 | 2 => Traffic::Lending,
                    3..8 => Traffic::Swaps,
                    _ => Traffic::Transfers,
                };
                self.push(builder, kind, step);
            }
        }
    }
}
