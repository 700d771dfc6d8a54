//! What becomes of pools, markets, positions and payouts when the contract is frozen.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use p3_field::PrimeField64;
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::lending::{CreateMarket, Post, Rates, Signer};
use shardfold_protocol::field::MODULUS;
use shardfold_settlement::interface::IRollup::{
    AlreadyOut, IsNotFrozen, NoShares, NotCanonical, NotOpened, PaymentFailed, WrongHead,
    WrongOwner, WrongPayment, WrongRoot, openCall, refundPayoutCall,
};

use shardfold_settlement::leaving::Step;

use crate::common::chain::FORKS;
use crate::common::world::{COIN, FREE, PRICE, account, coin, key, owner, signed, user};
use crate::freeze::freeze;
use crate::leaving::calls;
use crate::scene::{
    DEBTOR, FREE_POSITION, MARKET, MARKET_SHARES, MONTH, PAYOUT, POOL, POOL_SHARES, Scene,
};
use crate::tokens::{held, setRefusesCall};

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
fn only_a_record_of_the_last_settled_state_is_opened() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        let good = scene.opening(POOL);
        let world = &mut scene.world;
        let mut refused = |change: &dyn Fn(&mut openCall)| {
            let mut call = good.clone();
            change(&mut call);
            world
                .call(user(1), &call)
                .expect_err("it is not the record")
        };
        refused(&|call| call.head = call.head[1..].to_vec().into()).error::<WrongHead>();
        refused(&|call| call.index += 1).error::<WrongRoot>();
        // Twice the reserves.
        refused(&|call| call.record[0] += U256::from(100_000)).error::<WrongRoot>();
        refused(&|call| call.record[0] += U256::from(MODULUS)).error::<NotCanonical>();
        refused(&|call| call.siblings[31] += U256::from(1)).error::<WrongRoot>();
        // None of it is opened.
        scene.escape(POOL + 1, 1);
        let closed = scene.redeem(1, POOL_SHARES).expect_err("it is not opened");
        assert_eq!(closed.error::<NotOpened>().index, U256::from(POOL));
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

/// A market may lend shares, and a position in it owe nothing: its collateral leaves all the same.
#[test]
fn a_position_that_owes_nothing_leaves_whatever_its_market_lends() {
    let (market, position) = (60, 70);
    let loans = [(POOL_SHARES, POOL + 1), (MARKET_SHARES, MARKET + 3)];
    for (fork, (loan, vault)) in FORKS
        .into_iter()
        .flat_map(|fork| loans.map(|loan| (fork, loan)))
    {
        let mut scene = Scene::new(fork);
        let until = scene.world.chain.time + 3_600;
        let signer = |vault, nonce| Signer {
            vault,
            nonce,
            valid_until: until,
            fee: FREE,
        };
        let create = CreateMarket {
            market,
            loan,
            collateral: scene.asset.into(),
            price: 20,
            share_vault: 62,
            lltv: 800_000,
            scale: 1_000,
            rates: Rates {
                slope1: 1,
                slope2: 1,
                fee: 1,
            },
            signer: signer(vault, 0),
        };
        let post = Post {
            market,
            position,
            amount: 9_000,
            signer: signer(8, 1),
        };
        let bodies = vec![signed(&account(1), &create), signed(&account(4), &post)];
        scene.world.settle(bodies);
        freeze(&mut scene.world);
        scene.open(&[market, market + 1, position]);
        let paid = scene
            .repay(4, position, 4, 1)
            .expect_err("nothing is owed")
            .error::<WrongPayment>();
        assert_eq!((paid.found, paid.expected), (coin(1), U256::ZERO));
        scene
            .repay(8, position, 8, 0)
            .expect_err("not the owner")
            .error::<WrongOwner>();
        scene
            .repay(8, position, 4, 0)
            .expect("it is the owner's collateral");
        assert_eq!(scene.due(4, scene.asset.into()), 9_000);
        scene.pay_due(4, scene.asset).expect("it is due");
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
        only_dust_is_left(&mut scene);
        let left = scene.world.chain.balance(scene.world.rollup);
        assert!(left < coin_held);
    }
}

/// A thousand shares of the pool are nobody's: 1,415 of coin and 708 of the token, with what was
/// rounded. The rest is the price of items.
fn only_dust_is_left(scene: &mut Scene) {
    let price = U256::from(9 * PRICE);
    let left = scene.world.chain.balance(scene.world.rollup);
    assert_eq!(left, coin(1_415) + price);
    assert_eq!(held(&scene.world, scene.token, scene.world.rollup), 708);
}

/// The same by the calls that are made for each owner, of a token with a payout that has a rest. What
/// is repaid after somebody's turn is drawn in a second one.
#[test]
fn the_calls_that_are_made_for_everybody_leave_dust_alone() {
    for fork in FORKS {
        let mut scene = Scene::new(fork);
        freeze(&mut scene.world);
        let state = scene.world.state.clone();
        let calls_of = |i| calls(&state, key(i), user(i)).expect("it is a key");
        let rollup = scene.world.rollup;
        for i in 1..5 {
            for call in calls_of(i) {
                let wei = match call.step {
                    Step::Repay { debt, .. } => coin(debt),
                    _ => U256::ZERO,
                };
                let chain = &mut scene.world.chain;
                chain.fund(user(9), wei);
                let sent = chain.pay_data(user(9), rollup, wei, call.data.to_vec());
                sent.unwrap_or_else(|error| panic!("{:?}: {error:?}", call.step));
            }
        }
        for call in (1..5).flat_map(calls_of) {
            if matches!(call.step, Step::Redeem { .. } | Step::PayDue { .. }) {
                let sent = scene
                    .world
                    .chain
                    .send_data(user(9), rollup, call.data.to_vec());
                sent.unwrap_or_else(|error| panic!("{:?}: {error:?}", call.step));
            }
        }
        only_dust_is_left(&mut scene);
    }
}

/// Which kinds of records there are, so that none is forgotten here.
#[test]
fn the_scene_has_every_kind_that_holds_money() {
    let scene = Scene::new(SpecId::OSAKA);
    let records = scene.world.state.tree().records();
    let kinds: BTreeSet<u64> = records
        .iter()
        .map(|(_, record)| record.0[0].as_canonical_u64())
        .collect();
    assert_eq!(kinds, (1..=7).collect());
}
