//! Who there is, and where everything lies.

use shardfold_contracts::FeePayment;
use shardfold_protocol::record::{Asset, Index};

use crate::workload::{ASSET, Body, Builder, Random, Zipf};

/// The token of pool 0; that of pool k is k more.
const FIRST_TOKEN: Asset = 1_000;

/// People and pools. Person i has the coin at index 2 i and a token at 2 i + 1; then come the pools,
/// the vaults that earn the fees of each token, and the one that earns those of the coin.
#[derive(Clone, Debug)]
pub(super) struct People {
    pub count: u32,
    pub pools: u32,
    /// Whose token is which pool's.
    choices: Vec<u32>,
    /// In which order people come.
    order: Vec<u32>,
}

impl People {
    pub fn new(count: u32, pools: u32, random: &mut Random) -> Self {
        let zipf = Zipf::new(pools as usize);
        let choices = (0..count).map(|_| zipf.draw(random) as u32).collect();
        let mut order: Vec<u32> = (0..count).collect();
        random.shuffle(&mut order);
        Self {
            count,
            pools,
            choices,
            order,
        }
    }

    /// Who comes at a step: everybody once before anybody again.
    pub fn at(&self, step: usize) -> u32 {
        self.order[step % self.order.len()]
    }

    pub const fn coins(person: u32) -> Index {
        2 * person
    }

    pub const fn tokens(person: u32) -> Index {
        2 * person + 1
    }

    /// The pool of a person's token.
    pub fn pool_of(&self, person: u32) -> u32 {
        self.choices[person as usize]
    }

    pub fn token(pool: u32) -> Asset {
        FIRST_TOKEN + Asset::from(pool)
    }

    pub const fn pool(&self, pool: u32) -> Index {
        2 * self.count + pool
    }

    /// Where the fees of a pool's token go.
    pub const fn token_fees(&self, pool: u32) -> Index {
        2 * self.count + self.pools + pool
    }

    /// Where the fees of the coin go.
    pub const fn coin_fees(&self) -> Index {
        2 * self.count + 2 * self.pools
    }

    /// The first index at which nothing lies.
    pub const fn end(&self) -> Index {
        self.coin_fees() + 1
    }

    /// A transfer of the coin from whoever comes to the one after.
    pub fn transfer(&self, builder: &mut Builder, random: &mut Random, step: usize) {
        let [from, to] = [step, step + 1].map(|step| Self::coins(self.at(step)));
        let fee = FeePayment {
            amount: 1 + random.below(9),
            vault: self.coin_fees(),
        };
        let amount = 1 + random.below(1_000);
        let body: Body = builder.transfer(from, to, amount, fee);
        builder.push(body);
    }
}

/// What the coin is.
pub(super) const COIN: Asset = ASSET;
