//! The queue: its chain, what it takes in, its checkpoints and its price.

use alloy_primitives::{Address, U256};
use p3_field::PrimeCharacteristicRing;
use revm::primitives::hardfork::SpecId;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::extend_chain;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IHashes::ownerCall;
use shardfold_settlement::interface::IRollup::{
    AmountTooLarge, FeeTooLarge, IndexTooLarge, NoCheckpoint, NotCanonical, NothingNew,
    TooLittlePaid, TooSoon, UnknownAsset, checkpointCall, depositCall, earnedCall, itemPriceCall,
    potCall, queueCall, queueCommitmentCall, requestExitCall,
};

use crate::common::chain::{FORKS, Failed};
use crate::common::world::{
    COIN, LEDGER, OPERATOR, PRICE, World, account, account_for, coin, key, owner, user,
};
use crate::reclaim::item_digest;

/// Takes items, by their positions, into vaults from index 100 on.
fn taking(world: &World, positions: std::ops::Range<usize>) -> Vec<Transaction> {
    positions.map(|i| world.taking(i, 100 + i as u32)).collect()
}

#[test]
fn the_chain_over_the_items_is_the_protocols() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let mut chain = ZERO_DIGEST;
        for i in 0..40 {
            match i % 3 {
                0 => world.deposit(i, 1_000_000_007 * u64::from(i), u64::from(i)),
                1 => drop(world.request_exit(i, u32::from(i) << 20)),
                _ => drop(world.request_exit(i, u32::MAX - 1)),
            }
            let item = world.items[usize::from(i)];
            chain = extend_chain(&chain, &item_digest(&item, i.into()));
            assert_eq!(world.ask(&queueCommitmentCall {}), word(&chain), "item {i}");
        }
        let batch = world.settle((0..40).map(|i| world.taking(i, i as u32)).collect());
        assert_eq!(batch.statement.after.queue_commitment, chain);
    }
}

#[test]
fn owners_are_the_protocols() {
    for fork in FORKS {
        let world = World::new(fork);
        for i in 0..60_u8 {
            // Every byte of the address has its place.
            let mut address = Address::from([i.wrapping_mul(77); 20]);
            address.0[usize::from(i) % 20] ^= 0xff;
            let account = account_for(i, address);
            let chain_id = U256::from(LEDGER);
            let call = ownerCall {
                chainId: chain_id,
                key: key(i),
                exitAddress: address,
            };
            let expected = word(&account.owner(F::from_u64(LEDGER)));
            assert_eq!(world.chain.ask(world.hashes, &call), expected);
        }
    }
}

/// Sends a deposit of coin with as much as it needs.
fn deposit(world: &mut World, call: &depositCall) -> Result<(), Failed> {
    let paid = (u128::from(call.amount) + u128::from(call.fee)) * 1_000_000_000;
    let wei = U256::from(paid) + U256::from(PRICE);
    world.chain.fund(user(1), wei);
    world
        .chain
        .send(user(1), world.rollup, wei, call)
        .map(|_| ())
}

/// "Invalid requests must be consumable": what no proof covers does not enter the queue.
#[test]
fn a_deposit_that_no_proof_covers_is_refused() {
    const AMOUNTS: u64 = 1 << 62;
    const FEES: u64 = 1 << 46;
    for fork in FORKS {
        let mut world = World::new(fork);
        let good = depositCall {
            asset: COIN,
            amount: 5,
            fee: 2,
            owner: word(&owner(1)),
        };
        let mut with = |amount, fee| {
            deposit(
                &mut world,
                &depositCall {
                    amount,
                    fee,
                    ..good.clone()
                },
            )
        };
        let fee = with(5, FEES)
            .expect_err("the fee is too large")
            .error::<FeeTooLarge>();
        assert_eq!(fee.limit, U256::from(FEES));
        let amount = with(AMOUNTS, 0)
            .expect_err("the amount is")
            .error::<AmountTooLarge>();
        assert_eq!(amount.limit, U256::from(AMOUNTS));
        with(AMOUNTS - 1, 1)
            .expect_err("the sum is")
            .error::<AmountTooLarge>();
        with(u64::MAX, FEES - 1)
            .expect_err("and does not wrap")
            .error::<AmountTooLarge>();
        assert_eq!(with(AMOUNTS - FEES, FEES - 1), Ok(()));
        for place in 0..4 {
            let mut limbs = word(&owner(1)).into_limbs();
            limbs[place] = MODULUS;
            let call = depositCall {
                owner: U256::from_limbs(limbs),
                ..good.clone()
            };
            deposit(&mut world, &call)
                .expect_err("p is no element")
                .error::<NotCanonical>();
        }
        let call = depositCall {
            asset: 9,
            ..good.clone()
        };
        let unknown = deposit(&mut world, &call).expect_err("there is one asset");
        assert_eq!(unknown.error::<UnknownAsset>().count, U256::from(1));
        let wei = coin(7) + U256::from(PRICE - 1);
        let poor = world.chain.send(user(1), world.rollup, wei, &good);
        let poor = poor.expect_err("a wei is missing").error::<TooLittlePaid>();
        assert_eq!((poor.found, poor.expected), (wei, wei + U256::from(1)));
    }
}

#[test]
fn an_exit_that_no_proof_covers_is_refused() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let mut send = |index, key, wei| {
            let call = requestExitCall { index, key };
            world
                .chain
                .send(user(1), world.rollup, U256::from(wei), &call)
                .map(|_| ())
        };
        let index = send(u32::MAX, key(1), PRICE).expect_err("2^32 - 1 packs like another");
        index.error::<IndexTooLarge>();
        for place in 0..5 {
            let mut key = key(1);
            key[place] = MODULUS;
            send(3, key, PRICE)
                .expect_err("p is no element")
                .error::<NotCanonical>();
        }
        send(3, key(1), PRICE - 1)
            .expect_err("a wei is missing")
            .error::<TooLittlePaid>();
        assert_eq!(send(u32::MAX - 1, key(1), PRICE), Ok(()));
    }
}

#[test]
fn the_address_of_an_exit_is_the_callers() {
    for fork in FORKS {
        let mut world = World::new(fork);
        world.deposit(1, 50, 0);
        world.settle(taking(&world, 0..1));
        // Another one calls with the key: an item of another owner, and nothing is paid.
        let call = requestExitCall {
            index: 100,
            key: key(1),
        };
        let sent = world
            .chain
            .send(user(2), world.rollup, U256::from(PRICE), &call);
        sent.expect("it is an item");
        let thief = account_for(1, user(2));
        world.items.push(crate::common::world::Item::Exit {
            index: 100,
            owner: thief.owner(F::from_u64(LEDGER)),
            address: thief.exit_address,
        });
        let batch = world.settle(taking(&world, 1..2));
        assert!(batch.withdrawals.is_empty());
        world.request_exit(1, 100);
        let batch = world.settle(taking(&world, 2..3));
        assert_eq!(
            batch.withdrawals[0].address,
            account(1).exit_address.elements()
        );
    }
}

/// A queue of three items, with checkpoints after the first two of them: one that the second item
/// makes, since there was none, and one that is asked for.
fn with_checkpoint(fork: SpecId) -> World {
    let mut world = World::new(fork);
    world.deposit(1, 10, 0);
    world.deposit(2, 20, 0);
    world.wait(300);
    // Anybody may, and the third item notes its time.
    world.call(user(9), &checkpointCall {}).expect("it is time");
    world.wait(100);
    world.deposit(3, 30, 0);
    world
}

#[test]
fn a_batch_takes_the_queue_up_to_a_checkpoint_or_its_end() {
    for fork in FORKS {
        let world = with_checkpoint(fork);
        let third_at = world.chain.time;
        let second_at = third_at - 400;
        let refused = |taken, place| {
            let mut world = world.clone();
            let mut batch = world.execute(taking(&world, 0..taken));
            batch.place = place;
            let failed = world
                .try_settle(&batch)
                .expect_err("no checkpoint is there");
            assert_eq!(failed.error::<NoCheckpoint>().place, U256::from(place));
        };
        refused(1, 1);
        refused(2, 0);
        refused(2, 2);
        // Of the newest item no checkpoint is needed, whatever place is named.
        for (taken, place) in [(1, 0), (2, 1), (3, 7)] {
            let mut world = world.clone();
            let mut batch = world.execute(taking(&world, 0..taken));
            batch.place = place;
            world.try_settle(&batch).expect("it ends where it may");
            let queue = world.ask(&queueCall {});
            assert_eq!(queue.taken.to::<u64>(), taken as u64);
            let oldest_at = [second_at, third_at].get(taken - 1).copied();
            if let Some(oldest_at) = oldest_at {
                assert_eq!(queue.oldestAt.to::<u64>(), oldest_at);
            }
        }
    }
}

#[test]
fn an_item_that_arrives_meanwhile_spoils_no_batch() {
    for fork in FORKS {
        let mut world = with_checkpoint(fork);
        world.wait(300);
        let batch = world.execute(taking(&world, 0..3));
        // The push makes a checkpoint of the items before it: the last one is five minutes old.
        world.deposit(4, 40, 0);
        let mut call = batch.call();
        call.place = U256::from(2);
        world
            .settle_as(OPERATOR, &call)
            .expect("the third checkpoint is its end");
        let queue = world.ask(&queueCall {});
        assert_eq!(queue.oldestAt.to::<u64>(), world.chain.time);
    }
}

/// "Flood of forced requests" (StarkEx): it cannot push out the checkpoint that a batch needs.
#[test]
fn checkpoints_keep_five_minutes_apart() {
    for fork in FORKS {
        let mut world = with_checkpoint(fork);
        world.wait(199);
        for i in 0..20 {
            world.deposit(i, 1, 0);
        }
        let soon = world
            .call(user(9), &checkpointCall {})
            .expect_err("299 s after");
        let soon = soon.error::<TooSoon>();
        assert_eq!(soon.expected, soon.found + U256::from(1));
        assert_eq!(world.ask(&queueCall {}).checkpoints, 2);
        world.wait(1);
        // An item makes one then, of the items before it.
        let mut by_item = world.clone();
        by_item.deposit(1, 1, 0);
        let queue = by_item.ask(&queueCall {});
        assert_eq!(queue.checkpoints, 3);
        assert_eq!(queue.atCheckpoint.to::<u64>(), 23);
        world
            .call(user(9), &checkpointCall {})
            .expect("300 s after");
        world.wait(300);
        let nothing = world
            .call(user(9), &checkpointCall {})
            .expect_err("it is there already");
        assert_eq!(nothing.error::<NothingNew>().count, U256::from(23));
        let mut fresh = World::new(fork);
        fresh
            .call(user(9), &checkpointCall {})
            .expect_err("no items")
            .error::<NothingNew>();
    }
}

#[test]
fn the_price_rises_with_the_queue_and_goes_to_who_takes_it() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let price = |world: &World| world.ask(&itemPriceCall {});
        for i in 0..255 {
            world.request_exit(i, 1);
        }
        assert_eq!(price(&world), U256::from(PRICE));
        world.request_exit(1, 1);
        assert_eq!(price(&world), U256::from(2 * PRICE));
        assert_eq!(world.ask(&potCall {}), U256::from(256 * PRICE));
        world.settle(taking(&world, 0..256));
        assert_eq!(price(&world), U256::from(PRICE));
        assert_eq!(
            world.ask(&earnedCall { settler: OPERATOR }),
            U256::from(256 * PRICE)
        );
        assert_eq!(world.ask(&potCall {}), U256::ZERO);
    }
}

#[test]
fn a_part_of_the_queue_earns_its_part_of_the_price() {
    for fork in FORKS {
        let mut world = with_checkpoint(fork);
        let mut batch = world.execute(taking(&world, 0..2));
        batch.place = 1;
        world.try_settle(&batch).expect("it ends at a checkpoint");
        assert_eq!(
            world.ask(&earnedCall { settler: OPERATOR }),
            U256::from(2 * PRICE)
        );
        assert_eq!(world.ask(&potCall {}), U256::from(PRICE));
    }
}

/// "Ten thousand exits of foreign, empty, full vaults": all are taken, and settling costs no more.
#[test]
fn ten_thousand_exits_are_settled_in_one_batch() {
    const ITEMS: usize = 10_000;
    // The gas of an item does not depend on the fork's floor; one fork is enough for so many.
    let mut world = World::new(SpecId::OSAKA);
    for i in 0..3 {
        world.deposit(i, 1_000 + u64::from(i), 0);
    }
    world.settle((0..3).map(|i| world.taking(i, i as u32)).collect());
    world.wait(3_600);
    let mut most = 0;
    for i in 0..ITEMS {
        // Foreign, empty, and at the end one's own.
        let index = if i >= ITEMS - 3 {
            i + 3 - ITEMS
        } else {
            2 + i % 5
        };
        let who = if i >= ITEMS - 3 { index as u8 } else { 200 };
        most = most.max(world.request_exit(who, index as u32));
    }
    // From 31 * 256 items on it rises no more.
    assert_eq!(world.ask(&itemPriceCall {}), U256::from(32 * PRICE));
    let paid = |crowd: u64| 256 * crowd * PRICE;
    let pot = (1..32).map(paid).sum::<u64>() + (ITEMS as u64 - 31 * 256) * 32 * PRICE;
    assert_eq!(world.ask(&potCall {}), U256::from(pot));
    let batch = world.execute((3..3 + ITEMS).map(|i| world.taking(i, 0)).collect());
    assert_eq!(batch.withdrawals.len(), 3);
    let gas = world.try_settle(&batch).expect("all of them are settled");
    println!("an exit took {most} gas at most, the batch of {ITEMS} {gas}");
    assert!(most < 160_000 && gas < 1_000_000);
    for place in 0..3 {
        let claim = world.claim(1, &batch, place);
        world.call(user(9), &claim).expect("it is owed");
    }
}
