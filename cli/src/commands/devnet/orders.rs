//! What people sign: a market that is opened, and then a transaction of every kind.

use anyhow::{Result, anyhow};
use p3_field::{PrimeCharacteristicRing as _, PrimeField64 as _};
use shardfold_contracts::exchange::{AddLiquidity, CreatePool, RemoveLiquidity, SwapIn, SwapOut};
use shardfold_contracts::lending::{
    Accrue, Borrow, Collect, CreateMarket, Liquidate, PPM, Post, Price, Rates, Redeem, Repay,
    Signer, Supply, Take, VIRTUAL_ASSETS, VIRTUAL_SHARES,
};
use shardfold_contracts::payout::{CancelPayout, Entry, Pay, Payout, list_of};
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_contracts::{Body, FeePayment};
use shardfold_executor::workload::{Builder, CHAIN_ID, Keys};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use super::people::{ALICE, BOB, CAROL, COIN, DAVE, DOLLAR, DOLLARS, ETHER, OPERATOR, vault};

/// How long signatures are valid, in seconds.
const VALID: u64 = 24 * 3_600;
/// Large enough for every limit.
const MOST: u64 = (1 << 62) - 1;
const FREE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};
/// Four in five parts of a collateral's worth may be owed.
const LLTV: u32 = 800_000;
const RATES: Rates = Rates {
    slope1: 400_000,
    slope2: 750_000,
    fee: 100_000,
};

/// Where things are opened: the first index is the one after the vaults of the first deposits.
const FEES: Index = 8;
const FEED: Index = 9;
/// With its terms after it.
const MARKET: Index = 10;
const MARKET_FEES: Index = 12;
const BOBS_SHARES: Index = 13;
const POSITION: Index = 14;
const POOL: Index = 15;
const POOL_SHARES: Index = 16;
const PAYOUT: Index = 17;
const SECOND_MARKET: Index = 18;
const SECOND_FEES: Index = 20;

/// The first batch: what the queue has, then Alice opens a market with Carol's price, to which Bob lends
/// and of which Carol borrows.
pub fn opening(keys: &Keys, state: &State, items: &[Transaction], time: u64) -> Result<Batch> {
    let mut orders = Orders::new(keys, state, time, 0);
    for item in items {
        let pushed = orders.builder.push_unsigned(item.clone());
        pushed.map_err(|reject| anyhow!("an item of the queue is refused: {reject}"))?;
    }
    // A payment of nothing opens the vault in which the operator gets fees.
    orders.transfer(ALICE, FEES, OPERATOR, 0, FREE)?;
    orders.price(2_900 * DOLLARS, time)?;
    orders.market(ALICE, MARKET, MARKET_FEES)?;
    orders.supply(50_000 * DOLLARS)?;
    orders.post(3 * ETHER)?;
    orders.borrow(6_500 * DOLLARS)?;
    Ok(orders.builder.sign())
}

/// The second batch without what the queue has: every kind that people sign or that needs nobody.
pub fn every_kind(keys: &Keys, state: &State, time: u64, base_chain: u32) -> Result<Batch> {
    let mut orders = Orders::new(keys, state, time, base_chain);
    orders.payments()?;
    orders.exchange()?;
    orders.payout()?;
    orders.lending()?;
    Ok(orders.builder.sign())
}

struct Orders<'a> {
    keys: &'a Keys,
    builder: Builder<'a>,
    base_chain: u32,
}

impl<'a> Orders<'a> {
    fn new(keys: &'a Keys, state: &'a State, time: u64, base_chain: u32) -> Self {
        let builder = Builder::at(keys, state, time);
        Self {
            keys,
            builder,
            base_chain,
        }
    }

    fn sign(&mut self, who: usize, body: &impl Body) -> Result<()> {
        self.push(Some(who), body)
    }

    fn push(&mut self, who: Option<usize>, body: &impl Body) -> Result<()> {
        let kind = body.unsigned().kind.name();
        let pushed = self.builder.push_body(who, body);
        pushed.map_err(|reject| anyhow!("the {kind} that was thought out is refused: {reject}"))
    }

    fn until(&self) -> u64 {
        self.builder.time() + VALID
    }

    fn signer(&self, who: usize, asset: Asset) -> Signer {
        let vault = vault(who, asset);
        Signer {
            vault,
            nonce: self.builder.nonce(vault),
            valid_until: self.until(),
            fee: FREE,
        }
    }

    fn transfer(
        &mut self,
        who: usize,
        to: Index,
        to_whom: usize,
        amount: u64,
        fee: FeePayment,
    ) -> Result<()> {
        let from = vault(who, COIN);
        let transfer = Transfer {
            from,
            to,
            to_owner: self.keys.owner(to_whom),
            asset: COIN,
            amount,
            fee,
            nonce: self.builder.nonce(from),
        };
        self.sign(who, &transfer)
    }

    fn withdraw(&mut self, who: usize, asset: Asset, amount: u64) -> Result<()> {
        let from = vault(who, asset);
        let withdraw = Withdraw {
            from,
            asset,
            amount,
            fee: FREE,
            nonce: self.builder.nonce(from),
            base_chain: self.base_chain,
            address: self.keys.get(who).exit_address,
        };
        self.sign(who, &withdraw)
    }

    fn payments(&mut self) -> Result<()> {
        let fee = FeePayment {
            amount: ETHER / 1_000,
            vault: FEES,
        };
        self.transfer(ALICE, vault(DAVE, COIN), DAVE, ETHER, fee)?;
        self.withdraw(BOB, COIN, 2 * ETHER)?;
        self.withdraw(ALICE, DOLLAR, 1_000 * DOLLARS)
    }

    /// Alice opens a pool, in which Bob sells and Carol buys.
    fn exchange(&mut self) -> Result<()> {
        let [coins, dollars] = [COIN, DOLLAR].map(|asset| vault(ALICE, asset));
        let create = CreatePool {
            pool: POOL,
            from_a: coins,
            from_b: dollars,
            to: POOL_SHARES,
            asset_a: COIN,
            asset_b: DOLLAR,
            amount_a: 50 * ETHER,
            amount_b: 150_000 * DOLLARS,
            swap_fee: 3_000,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(coins),
        };
        self.sign(ALICE, &create)?;
        let add = AddLiquidity {
            pool: POOL,
            from_a: coins,
            from_b: dollars,
            to: POOL_SHARES,
            shares: ETHER,
            max_a: MOST,
            max_b: MOST,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(coins),
        };
        self.sign(ALICE, &add)?;
        let sell = SwapIn {
            asset_in: COIN,
            amount_in: ETHER,
            pools: vec![POOL],
            asset_out: DOLLAR,
            from: vault(BOB, COIN),
            to: vault(BOB, DOLLAR),
            min_out: 2_800 * DOLLARS,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(vault(BOB, COIN)),
        };
        self.sign(BOB, &sell)?;
        let buy = SwapOut {
            asset_out: DOLLAR,
            amount_out: 500 * DOLLARS,
            pools: vec![POOL],
            asset_in: COIN,
            from: vault(CAROL, COIN),
            to: vault(CAROL, DOLLAR),
            max_in: ETHER,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(vault(CAROL, COIN)),
        };
        self.sign(CAROL, &buy)?;
        let remove = RemoveLiquidity {
            pool: POOL,
            to_a: coins,
            to_b: dollars,
            from: POOL_SHARES,
            shares: ETHER / 2,
            min_a: 0,
            min_b: 0,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(coins),
        };
        self.sign(ALICE, &remove)
    }

    /// Alice puts something aside for Bob, Carol and Dave, and takes the rest back.
    fn payout(&mut self) -> Result<()> {
        let entries = [BOB, CAROL, DAVE].map(|who| Entry {
            to: vault(who, COIN),
            amount: ETHER / 10,
        });
        let rests = list_of(F::from_u64(CHAIN_ID), &entries);
        let from = vault(ALICE, COIN);
        let open = Payout {
            from,
            index: PAYOUT,
            asset: COIN,
            total: ETHER,
            list: rests[0],
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(from),
        };
        self.sign(ALICE, &open)?;
        for (start, end) in [(0, 2), (2, 3)] {
            let pay = Pay::new(PAYOUT, &entries[start..end], rests[end]);
            self.push(None, &pay)?;
        }
        let cancel = CancelPayout {
            index: PAYOUT,
            to: from,
            valid_until: self.until(),
            fee: FREE,
            nonce: self.builder.nonce(from),
        };
        self.sign(ALICE, &cancel)
    }

    /// Interest is counted; people come and go; the price falls, and Bob liquidates a part of Carol's
    /// debt.
    fn lending(&mut self) -> Result<()> {
        let now = self.builder.time();
        self.price(3_000 * DOLLARS, now - 60)?;
        let accrue = Accrue {
            market: MARKET,
            until: now,
            rates: RATES,
        };
        self.push(None, &accrue)?;
        let collect = Collect {
            market: MARKET,
            share_vault: MARKET_FEES,
        };
        self.push(None, &collect)?;
        self.market(BOB, SECOND_MARKET, SECOND_FEES)?;
        self.supply(1_000 * DOLLARS)?;
        let redeem = Redeem {
            market: MARKET,
            share_vault: BOBS_SHARES,
            shares: 500 * DOLLARS * VIRTUAL_SHARES,
            limit: 0,
            signer: self.signer(BOB, DOLLAR),
        };
        self.sign(BOB, &redeem)?;
        self.post(ETHER / 10)?;
        self.borrow(300 * DOLLARS)?;
        let repay = Repay {
            market: MARKET,
            position: POSITION,
            shares: 100 * DOLLARS * VIRTUAL_SHARES,
            limit: MOST,
            signer: self.signer(CAROL, DOLLAR),
        };
        self.sign(CAROL, &repay)?;
        let take = Take {
            market: MARKET,
            position: POSITION,
            price: FEED,
            amount: ETHER / 100,
            signer: self.signer(CAROL, COIN),
        };
        self.sign(CAROL, &take)?;
        self.price(2_400 * DOLLARS, now)?;
        self.liquidate(ETHER)
    }

    /// Carol says a price of the coin.
    fn price(&mut self, price: u64, time: u64) -> Result<()> {
        let body = Price {
            index: FEED,
            price,
            time,
            feeder: self.keys.owner(CAROL),
        };
        self.sign(CAROL, &body)
    }

    fn market(&mut self, who: usize, market: Index, share_vault: Index) -> Result<()> {
        let body = CreateMarket {
            market,
            loan: DOLLAR,
            collateral: COIN,
            price: FEED,
            share_vault,
            lltv: LLTV,
            scale: ETHER,
            rates: RATES,
            signer: self.signer(who, DOLLAR),
        };
        self.sign(who, &body)
    }

    fn supply(&mut self, amount: u64) -> Result<()> {
        let body = Supply {
            market: MARKET,
            share_vault: BOBS_SHARES,
            amount,
            limit: 0,
            signer: self.signer(BOB, DOLLAR),
        };
        self.sign(BOB, &body)
    }

    fn post(&mut self, amount: u64) -> Result<()> {
        let body = Post {
            market: MARKET,
            position: POSITION,
            amount,
            signer: self.signer(CAROL, COIN),
        };
        self.sign(CAROL, &body)
    }

    fn borrow(&mut self, amount: u64) -> Result<()> {
        let body = Borrow {
            market: MARKET,
            position: POSITION,
            price: FEED,
            amount,
            limit: MOST,
            signer: self.signer(CAROL, DOLLAR),
        };
        self.sign(CAROL, &body)
    }

    /// Bob pays the least for so much of Carol's collateral: what it is worth less the bonus, as shares
    /// of the debt, each time rounded up.
    fn liquidate(&mut self, seized: u64) -> Result<()> {
        let element = |index, position: usize| {
            u128::from(self.builder.get(index).0[position].as_canonical_u64())
        };
        let (price, bonus, scale) = (
            element(FEED, 1),
            element(MARKET + 1, 4),
            element(MARKET + 1, 5),
        );
        let worth = (u128::from(seized) * price).div_ceil(scale);
        let owed = (worth * u128::from(PPM)).div_ceil(bonus);
        let assets = element(MARKET, 3) + u128::from(VIRTUAL_ASSETS);
        let shares = element(MARKET, 4) + u128::from(VIRTUAL_SHARES);
        let body = Liquidate {
            market: MARKET,
            position: POSITION,
            price: FEED,
            to: vault(BOB, COIN),
            seized,
            shares: u64::try_from((owed * shares).div_ceil(assets))?,
            limit: MOST,
            signer: self.signer(BOB, DOLLAR),
        };
        self.sign(BOB, &body)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shardfold_contracts::deposit::Deposit;
    use shardfold_contracts::exit::Exit;
    use shardfold_contracts::set::standard;
    use shardfold_executor::{parallel, shards};
    use shardfold_protocol::shape::Shape;
    use shardfold_protocol::state::StateFile;

    use super::super::people::{DEPOSITS, keys};
    use super::*;

    #[test]
    fn the_second_batch_has_every_kind_with_its_queue_and_all_is_accepted() {
        let keys = keys();
        let file = StateFile {
            chain_id: CHAIN_ID,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        let mut state = State::try_from(&file).expect("nothing is well formed");
        let items = (0..).zip(DEPOSITS).map(|(position, (who, asset, amount))| {
            let deposit = Deposit {
                base_chain: 31_337,
                to: position as Index,
                owner: keys.owner(who),
                asset,
                amount,
                fee: FREE,
                position,
            };
            deposit.unsigned()
        });
        let items: Vec<_> = items.collect();
        let time = 1_800_000_000;
        let first = opening(&keys, &state, &items, time).expect("all is thought out");
        let outcome = parallel::execute(standard(), &state, &first).expect("it starts here");
        assert_eq!(outcome.accepted.len(), first.transactions.len());
        let shapes = [Shape::TINY, Shape::SMALL];
        shards::apply(standard(), &mut state, &first, &outcome, &shapes).expect("it can be cut");

        let second = every_kind(&keys, &state, time + 3_600, 31_337).expect("thought out too");
        let outcome = parallel::execute(standard(), &state, &second).expect("it starts here");
        assert_eq!(outcome.accepted.len(), second.transactions.len());
        let mut kinds: BTreeSet<_> = second
            .transactions
            .iter()
            .map(|of| of.kind.name())
            .collect();
        kinds.extend([Deposit::KIND, Exit::KIND].map(|kind| kind.name()));
        assert_eq!(kinds.len(), standard().list().count(), "{kinds:?}");
    }
}
