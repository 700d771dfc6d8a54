//! Traffic of exchange, payouts and lending: reproducible states and batches for tests and
//! benchmarks.
//!
//! People have a vault of the coin that everybody has and one of a token of their own choice; each
//! token has a pool with the coin. Everything is funded at genesis, and every transaction is valid.

mod airdrop;
mod genesis;
mod people;
mod swaps;

use super::{Builder, Keys, Random, Workload};

use airdrop::Airdrop;
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
    /// Payouts to all people, fifteen a transaction.
    Airdrop,
}

impl Traffic {
    /// All of it.
    pub const ALL: [Self; 4] = [Self::Transfers, Self::Swaps, Self::HotPool, Self::Airdrop];

    /// Returns the name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Swaps => "swaps",
            Self::HotPool => "hot pool",
            Self::Airdrop => "airdrop",
        }
    }

    /// How many pools there are.
    const fn pools(self) -> u32 {
        match self {
            Self::HotPool => 1,
            Self::Transfers | Self::Swaps | Self::Airdrop => 1_000,
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
        let state = genesis::state(&keys, &people);
        let mut builder = Builder::new(&keys, &state);
        match self.traffic {
            Traffic::Transfers => people.transfers(&mut builder, &mut random, self.transactions),
            Traffic::Swaps | Traffic::HotPool => {
                Swaps::new(&people).push(&mut builder, &mut random, self.transactions);
            }
            Traffic::Airdrop => Airdrop::new(&people).push(&mut builder, self.transactions),
        }
        let batch = builder.sign();
        Workload { state, batch }
    }
}
