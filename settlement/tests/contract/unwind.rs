//! What becomes of pools, markets, positions and payouts when the contract is frozen.

use alloy_primitives::{Address, U256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
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
    AlreadyOut, IsNotFrozen, NoShares, NotOpened, PaymentFailed, WrongOwner, WrongPayment, dueCall,
    openCall, payDueCall, redeemCall, refundPayoutCall, repayCall,
};

use crate::common::chain::{FORKS, Failed};
use crate::common::world::{COIN, FREE, LEDGER, World, account, coin, key, owner, signed, user};
use crate::freeze::{escape_of, freeze};
use crate::test_artefact;
use crate::tokens::{held, setRefusesCall, token};

const POOL: Index = 10;
const PRICE: Index = 20;
const MARKET: Index = 30;
const DEBTOR: Index = 40;
const FREE_POSITION: Index = 41;
const PAYOUT: Index = 50;
/// Shares of the pool and of the market.
const POOL_SHARES: u64 = (1 << 32) + POOL as u64;
const MARKET_SHARES: u64 = (1 << 32) + MARKET as u64;
const MONTH: u64 = 30 * 24 * 3_600;

/// A world with one of each; users 1 to 4 have coin in vaults 1 to 4 and the token in 5 to 8.
struct Scene {
    world: World,
    token: Address,
    asset: u32,
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
    fn new(fork: SpecId) -> Self {
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

    /// Opens records.
    fn open(&mut self, indices: &[Index]) {
        for &index in indices {
            let proof = self.world.state.tree().prove_record(index);
            let call = openCall {
                head: head_bytes(self.world.state.head()).into(),
                index,
                record: record_words(&proof.record),
                siblings: proof.siblings.map(|sibling| word(&sibling)),
            };
            self.world
                .call(user(99), &call)
                .expect("it is in the state");
        }
    }

    fn due(&self, i: u8, asset: u64) -> u64 {
        let call = dueCall {
            owner: user(i),
            asset: U256::from(asset),
        };
        self.world.ask(&call).to()
    }

    fn redeem(&mut self, i: u8, asset: u64) -> Result<(), Failed> {
        let call = redeemCall {
            asset: U256::from(asset),
            to: user(i),
        };
        self.world.call(user(99), &call).map(|_| ())
    }

    /// Repays a position's debt as somebody, with so much coin.
    fn repay(&mut self, who: u8, index: Index, i: u8, units: u64) -> Result<(), Failed> {
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

    fn escape(&mut self, index: Index, i: u8) {
        let call = escape_of(&self.world, index, i);
        self.world.call(user(99), &call).expect("it is the owner's");
    }

    fn pay_due(&mut self, i: u8, asset: u32) -> Result<(), Failed> {
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

#[test]
fn shares_of_a_pool_are_their_part_of_both_reserves() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        let early = scene.redeem(1, POOL_SHARES).expect_err("it is not frozen");
        early.error::<IsNotFrozen>();
        freeze(&mut scene.world);
        scene.escape(POOL + 1, 1);
        assert_eq!(scene.due(1, POOL_SHARES), 69_710);
        let closed = scene.redeem(1, POOL_SHARES).expect_err("it is not opened");
        assert_eq!(closed.error::<NotOpened>().index, U256::from(POOL));
        scene.open(&[POOL]);
        scene.redeem(1, POOL_SHARES).expect("it is opened");
        // floor(100,000 * 69,710 / 70,710) and half of it.
        let expected = [98_585, 49_292];
        let found = [COIN, scene.asset].map(|asset| scene.due(1, asset.into()));
        assert_eq!(found, expected);
        // A second time there is nothing to give back.
        scene.redeem(1, POOL_SHARES).expect("it is opened");
        assert_eq!(scene.due(1, COIN.into()), expected[0]);
        let none = scene.redeem(1, COIN.into()).expect_err("coin is no share");
        assert_eq!(none.error::<NoShares>().asset, U256::ZERO);
        // The token fails: the coin is paid all the same.
        let refuses = |does| setRefusesCall { does };
        let token = scene.token;
        scene
            .world
            .chain
            .call(user(9), token, &refuses(true))
            .expect("anybody may");
        scene
            .pay_due(1, scene.asset)
            .expect_err("it says false")
            .error::<PaymentFailed>();
        let before = scene.world.chain.balance(user(1));
        scene.pay_due(1, COIN).expect("it is due");
        assert_eq!(
            scene.world.chain.balance(user(1)),
            before + coin(expected[0])
        );
        scene
            .world
            .chain
            .call(user(9), token, &refuses(false))
            .expect("anybody may");
        let before = held(&scene.world, token, user(1));
        scene.pay_due(1, scene.asset).expect("it is due");
        assert_eq!(held(&scene.world, token, user(1)), before + expected[1]);
        assert_eq!(scene.due(1, scene.asset.into()), 0);
    }
}

#[test]
fn suppliers_share_what_was_not_lent_and_what_comes_back() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        for (index, i) in [(MARKET + 3, 1), (MARKET + 4, 2)] {
            scene.escape(index, i);
        }
        scene.open(&[MARKET, MARKET + 1, DEBTOR]);
        // 45,000 of 90,000 are there, and two thirds of the shares are user 1's.
        scene.redeem(1, MARKET_SHARES).expect("it is opened");
        scene.redeem(1, MARKET_SHARES).expect("again, to no effect");
        assert_eq!(scene.due(1, COIN.into()), 30_000);
        // Without interest the debt is the 45,000.
        let wrong = scene
            .repay(8, DEBTOR, 3, 44_999)
            .expect_err("a unit is missing");
        let wrong = wrong.error::<WrongPayment>();
        assert_eq!((wrong.found, wrong.expected), (coin(44_999), coin(45_000)));
        scene
            .repay(8, DEBTOR, 3, 45_001)
            .expect_err("too much")
            .error::<WrongPayment>();
        scene
            .repay(8, DEBTOR, 4, 45_000)
            .expect_err("not the owner")
            .error::<WrongOwner>();
        scene.repay(8, DEBTOR, 3, 45_000).expect("anybody pays");
        assert_eq!(scene.due(3, scene.asset.into()), 80_000);
        let again = scene.repay(8, DEBTOR, 3, 45_000).expect_err("it is out");
        assert_eq!(again.error::<AlreadyOut>().index, U256::from(DEBTOR));
        for (i, all) in [(1, 60_000), (2, 30_000)] {
            scene.redeem(i, MARKET_SHARES).expect("it is opened");
            assert_eq!(scene.due(i, COIN.into()), all);
        }
    }
}

#[test]
fn collateral_goes_to_the_owner_for_thirty_days_and_then_to_who_pays() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        scene.open(&[MARKET, MARKET + 1, DEBTOR, FREE_POSITION]);
        scene.world.wait(MONTH);
        let mut on_time = Scene {
            world: scene.world.clone(),
            ..scene
        };
        on_time.repay(8, DEBTOR, 3, 45_000).expect("anybody pays");
        assert_eq!(on_time.due(3, on_time.asset.into()), 80_000);
        assert_eq!(on_time.due(8, on_time.asset.into()), 0);
        scene.world.wait(1);
        scene.repay(8, DEBTOR, 3, 45_000).expect("anybody pays");
        assert_eq!(scene.due(8, scene.asset.into()), 80_000);
        // Where nothing is owed, paying nothing gains nothing.
        scene
            .repay(8, FREE_POSITION, 8, 0)
            .expect_err("not the owner")
            .error::<WrongOwner>();
        scene
            .repay(8, FREE_POSITION, 4, 0)
            .expect("it is the owner's");
        assert_eq!(scene.due(8, scene.asset.into()), 80_000);
        assert_eq!(scene.due(4, scene.asset.into()), 9_000);
    }
}

#[test]
fn the_rest_of_a_payout_goes_back_to_who_paid_it() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        let refund = |i| refundPayoutCall {
            index: PAYOUT,
            key: key(i),
            to: user(i),
        };
        scene.open(&[PAYOUT]);
        let closed = scene
            .world
            .call(user(9), &refund(2))
            .expect_err("the vault is not opened");
        assert_eq!(closed.error::<NotOpened>().index, U256::from(2));
        scene.open(&[2]);
        scene
            .world
            .call(user(9), &refund(3))
            .expect_err("no owner")
            .error::<WrongOwner>();
        scene
            .world
            .call(user(9), &refund(2))
            .expect("it is the owner's");
        scene
            .world
            .call(user(9), &refund(2))
            .expect_err("it is out")
            .error::<AlreadyOut>();
        assert_eq!(scene.due(2, COIN.into()), 700);
        // The vault that paid it escapes as any other.
        scene.escape(2, 2);
    }
}

/// Everything leaves, and only dust stays.
#[test]
fn the_contract_ends_with_dust_alone() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        let records = scene.world.state.tree().records();
        let coin_held = scene.world.chain.balance(scene.world.rollup);
        for (index, record) in records {
            let Some(vault) = record.vault() else {
                continue;
            };
            let i = (1..5)
                .find(|&i| owner(i) == vault.owner)
                .expect("it is a user's");
            scene.escape(index, i);
        }
        scene.open(&[POOL, MARKET, MARKET + 1, DEBTOR, FREE_POSITION, PAYOUT, 2]);
        scene.repay(3, DEBTOR, 3, 45_000).expect("it is the debt");
        scene
            .repay(4, FREE_POSITION, 4, 0)
            .expect("nothing is owed");
        let refund = refundPayoutCall {
            index: PAYOUT,
            key: key(2),
            to: user(2),
        };
        scene
            .world
            .call(user(9), &refund)
            .expect("it is the owner's");
        scene.redeem(1, POOL_SHARES).expect("it is opened");
        for i in 1..3 {
            scene.redeem(i, MARKET_SHARES).expect("it is opened");
        }
        for i in 1..5 {
            for asset in [COIN, scene.asset] {
                scene.pay_due(i, asset).expect("it is due");
            }
        }
        // A thousand shares of the pool are nobody's: 1,415 of coin and 708 of the token, with what
        // was rounded. The rest is the price of items.
        let price = U256::from(9 * crate::common::world::PRICE);
        let left = scene.world.chain.balance(scene.world.rollup);
        assert_eq!(left, coin(1_415) + price);
        assert!(left < coin_held);
        assert_eq!(held(&scene.world, scene.token, scene.world.rollup), 708);
    }
}

/// Which kinds of records there are, so that none is forgotten here.
#[test]
fn the_scene_has_every_kind_that_holds_money() {
    let scene = Scene::new(SpecId::OSAKA);
    let records = scene.world.state.tree().records();
    let kinds: std::collections::BTreeSet<u64> = records
        .iter()
        .map(|(_, record)| record.0[0].as_canonical_u64())
        .collect();
    assert_eq!(kinds, (1..=7).collect());
}
