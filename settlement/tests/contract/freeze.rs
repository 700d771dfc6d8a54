//! The way out without the operator: freeze, escape, reclaim.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolEvent;
use p3_field::PrimeCharacteristicRing;
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::FeePayment;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::difference::decode;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::head::extend_chain;
use shardfold_protocol::record::Index;
use shardfold_protocol::tree::StateTree;
use shardfold_settlement::encoding::{head_bytes, record_words, word};
use shardfold_settlement::interface::IRollup::{
    AlreadyOut, IsFrozen, IsNotFrozen, NoVault, NotCanonical, NotOverdue, NotWaiting, Settled,
    UnknownLink, Waiting, WrongHead, WrongOwner, WrongRoot, collectCall, depositCall, escapeCall,
    freezeCall, frozenAtCall, itemPriceCall, potCall, reclaimCall, requestExitCall, showLinkCall,
};

use crate::common::chain::FORKS;
use crate::common::world::{
    COIN, Item, OPERATOR, PRICE, World, account, coin, item_digest, key, owner, signed, user,
};

const FORTNIGHT: u64 = 14 * 24 * 3_600;

/// What escapes the vault at an index, of a user.
pub fn escape_of(world: &World, index: Index, i: u8) -> escapeCall {
    escape_from(world.state.tree(), head_bytes(world.state.head()), index, i)
}

fn escape_from(tree: &StateTree, head: Vec<u8>, index: Index, i: u8) -> escapeCall {
    let proof = tree.prove_record(index);
    escapeCall {
        head: head.into(),
        index,
        record: record_words(&proof.record),
        siblings: proof.siblings.map(|sibling| word(&sibling)),
        key: key(i),
        to: user(i),
    }
}

/// Freezes: somebody asks for an exit, and nobody settles for 14 days.
pub fn freeze(world: &mut World) {
    if world.items.len() as u64 == world.state.head().queue_count {
        world.request_exit(250, 5);
    }
    world.wait(FORTNIGHT + 1);
    world
        .call(user(9), &freezeCall {})
        .expect("an item waits for too long");
}

/// A world with vaults of users 1 to 4, between which money has moved, over several batches; with
/// the events of all settlements.
pub fn scene(fork: SpecId) -> (World, Vec<Settled>) {
    let mut world = World::new(fork);
    let mut events = vec![];
    let mut settle = |world: &mut World, transactions| {
        let batch = world.execute(transactions);
        let sent = world
            .chain
            .send(OPERATOR, world.rollup, U256::ZERO, &batch.call());
        let (_, done) = sent.expect("it is settled");
        let log = Settled::decode_log(&done.logs[0]).expect("it is this event");
        events.push(log.data);
        world.state = batch.state;
        world.batches += 1;
    };
    for i in 1..5 {
        world.deposit(i, 1_000 * u64::from(i), u64::from(i));
    }
    // The fees go to vault 0, of user 1.
    let taken = (0..4).map(|i| world.taking(i, 7 * i as u32)).collect();
    settle(&mut world, taken);
    for round in 0..3 {
        world.wait(300);
        let transfer = Transfer {
            from: 0,
            to: 7,
            to_owner: owner(2),
            asset: COIN.into(),
            amount: 10 + round,
            fee: FeePayment {
                amount: 1,
                vault: 14,
            },
            nonce: round,
        };
        let withdrawal = world.withdrawing(4, 21, 100, round);
        settle(&mut world, vec![signed(&account(1), &transfer), withdrawal]);
    }
    (world, events)
}

/// "`escape` tested from published data only: rebuild, escape every vault, contract ends empty".
#[test]
fn every_vault_escapes_from_what_was_published() {
    for fork in FORKS {
        let (mut world, events) = scene(fork);
        freeze(&mut world);
        // Nothing but the events from here on.
        let mut tree = StateTree::new();
        for event in &events {
            let element = |bytes: &[u8; 8]| F::from_u64(u64::from_be_bytes(*bytes));
            let elements: Vec<_> = event.data.as_chunks().0.iter().map(element).collect();
            for (index, change) in decode(&elements).expect("they are differences") {
                let record = change.apply(&tree.get(index)).expect("it follows");
                tree.update(&[(index, record)]);
            }
        }
        let head = events.last().expect("there are some").head.to_vec();
        let mut escaped = 0;
        for (index, i) in [(0, 1), (7, 2), (14, 3), (21, 4)] {
            let vault = tree.get(index).vault().expect("it is a vault");
            let before = world.chain.balance(user(i));
            let call = escape_from(&tree, head.clone(), index, i);
            world.call(user(77), &call).expect("it is the owner's");
            assert_eq!(world.chain.balance(user(i)), before + coin(vault.balance));
            escaped += vault.balance;
        }
        // Three withdrawals of 100 are still owed.
        assert_eq!(escaped, 10_000 + 1 + 2 + 3 + 4 - 300);
        let entries: Vec<_> = events
            .iter()
            .map(|event| event.withdrawals.clone())
            .collect();
        for (batch, entry) in entries.iter().enumerate().skip(1) {
            let claim = shardfold_settlement::interface::IRollup::claimCall {
                batch: U256::from(batch),
                number: batch as u64 - 1,
                entry: entry.clone(),
                path: vec![],
            };
            world.call(user(4), &claim).expect("it is owed");
        }
        // What is left is the price of items: what was earned, and what nobody can earn any more.
        world.call(OPERATOR, &collectCall {}).expect("it is earned");
        assert_eq!(world.chain.balance(world.rollup), U256::from(PRICE));
        assert_eq!(world.ask(&potCall {}), U256::from(PRICE));
    }
}

#[test]
fn only_what_waits_for_more_than_a_fortnight_freezes() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        world.wait(10 * FORTNIGHT);
        world
            .call(user(1), &freezeCall {})
            .expect_err("none waits")
            .error::<NotOverdue>();
        world.request_exit(1, 0);
        world.wait(FORTNIGHT);
        let failed = world
            .call(user(1), &freezeCall {})
            .expect_err("a second early");
        assert_eq!(
            failed.error::<NotOverdue>().expected,
            U256::from(world.chain.time)
        );
        assert_eq!(world.ask(&frozenAtCall {}), 0);
        world.wait(1);
        world
            .call(user(1), &freezeCall {})
            .expect("it waits for too long");
        let again = world.call(user(1), &freezeCall {}).expect_err("for ever");
        assert_eq!(
            again.error::<IsFrozen>().since,
            U256::from(world.chain.time)
        );
    }
}

/// A checkpoint that is older than the item after it must not make that item older.
#[test]
fn a_checkpoint_does_not_make_items_older() {
    use shardfold_settlement::interface::IRollup::checkpointCall;
    for fork in FORKS {
        let mut world = World::new(fork);
        world.deposit(1, 1, 0);
        world.deposit(1, 1, 0);
        world.wait(300);
        world.call(user(9), &checkpointCall {}).expect("it is time");
        let mut batch = world.execute(vec![world.taking(0, 0), world.taking(1, 1)]);
        batch.place = 1;
        world.wait(23 * 3_600);
        world.deposit(1, 1, 0);
        let pushed_at = world.chain.time;
        world.try_settle(&batch).expect("it ends at the checkpoint");
        world.chain.time = pushed_at + FORTNIGHT;
        let failed = world
            .call(user(1), &freezeCall {})
            .expect_err("a second early");
        failed.error::<NotOverdue>();
        world.wait(1);
        world
            .call(user(1), &freezeCall {})
            .expect("it waits for too long");
    }
}

#[test]
fn frozen_means_that_nothing_comes_in_and_nothing_is_settled() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        let early = world.call(user(1), &escape_of(&world, 0, 1));
        early.expect_err("it is not frozen").error::<IsNotFrozen>();
        world.request_exit(1, 0);
        let batch = world.execute(vec![world.withdrawing(1, 0, 1, 3)]);
        freeze(&mut world);
        let settled = world.settle_as(OPERATOR, &batch.call());
        settled.expect_err("it is too late").error::<IsFrozen>();
        let wei = world.ask(&itemPriceCall {}) + coin(5);
        let deposit = depositCall {
            asset: COIN,
            amount: 5,
            fee: 0,
            owner: word(&owner(1)),
        };
        let sent = world.chain.send(user(1), world.rollup, wei, &deposit);
        sent.expect_err("nothing comes in").error::<IsFrozen>();
        let exit = requestExitCall {
            index: 0,
            key: key(1),
        };
        let sent = world.chain.send(user(1), world.rollup, wei, &exit);
        sent.expect_err("nothing comes in").error::<IsFrozen>();
    }
}

#[test]
fn a_vault_escapes_once_and_as_it_is() {
    for fork in FORKS {
        let (mut world, events) = scene(fork);
        freeze(&mut world);
        let good = escape_of(&world, 7, 2);
        let mut refused = |change: &dyn Fn(&mut escapeCall)| {
            let mut call = good.clone();
            change(&mut call);
            world.call(user(2), &call).expect_err("it is not the vault")
        };
        // Another head, also one that was settled once.
        let old = events[1].head.clone();
        refused(&|call| call.head = old.clone()).error::<WrongHead>();
        refused(&|call| call.head = Bytes::from(call.head[..191].to_vec())).error::<WrongHead>();
        // Another place, record or path.
        refused(&|call| call.index = 8).error::<WrongRoot>();
        refused(&|call| call.siblings[9] += U256::from(1)).error::<WrongRoot>();
        refused(&|call| call.record[0] += U256::from(1)).error::<WrongRoot>();
        // The same record, but not below p: as if it held more.
        let above = U256::from(MODULUS) << 64;
        refused(&|call| call.record[0] += above).error::<NotCanonical>();
        // Another key or address.
        refused(&|call| call.key = key(1)).error::<WrongOwner>();
        refused(&|call| call.to = user(1)).error::<WrongOwner>();
        // What is no vault: an empty leaf.
        let empty = escape_of(&world, 6, 2);
        world
            .call(user(2), &empty)
            .expect_err("nothing is there")
            .error::<NoVault>();

        world.call(user(2), &good).expect("it is the owner's");
        let again = world.call(user(2), &good).expect_err("it is out");
        assert_eq!(again.error::<AlreadyOut>().index, U256::from(7));
        assert_eq!(good.head, Bytes::from(head_bytes(world.state.head())));
    }
}

/// The chain before each item that waits.
fn chain_before(world: &World, position: usize) -> Digest {
    let items = world.items.iter().zip(0..).take(position);
    items.fold(ZERO_DIGEST, |chain, (item, i)| {
        extend_chain(&chain, &item_digest(item, i))
    })
}

/// The same as a word.
pub fn chain_word(world: &World, position: usize) -> U256 {
    word(&chain_before(world, position))
}

/// The digests of items, as bytes.
pub fn digests(world: &World, positions: core::ops::Range<usize>) -> Bytes {
    let digest = |i: usize| word(&item_digest(&world.items[i], i as u64)).to_be_bytes::<32>();
    positions.flat_map(digest).collect::<Vec<_>>().into()
}

/// What reclaims a deposit, by items up to an end.
pub fn reclaim_of(world: &World, position: usize, i: u8, end: usize) -> reclaimCall {
    let Item::Deposit {
        asset, amount, fee, ..
    } = world.items[position]
    else {
        panic!("item {position} is no deposit")
    };
    reclaimCall {
        waiting: Waiting {
            position: position as u64,
            asset,
            amount,
            fee,
            commitment: chain_word(world, position),
        },
        items: digests(world, position + 1..end),
        place: U256::from(4_000),
        key: key(i),
        to: user(i),
    }
}

#[test]
fn a_deposit_that_nobody_took_is_paid_back() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        for i in 1..4 {
            world.deposit(i, 500, 20 + u64::from(i));
            world.request_exit(i, 7);
        }
        freeze(&mut world);
        let end = world.items.len();
        for i in 1..4_u8 {
            let position = 2 + 2 * usize::from(i);
            let good = reclaim_of(&world, position, i, end);
            let mut refused = |change: &dyn Fn(&mut reclaimCall)| {
                let mut call = good.clone();
                change(&mut call);
                world
                    .call(user(i), &call)
                    .expect_err("it is not the deposit")
            };
            refused(&|call| call.waiting.amount += 1).error::<UnknownLink>();
            refused(&|call| call.waiting.fee += 1).error::<UnknownLink>();
            refused(&|call| call.waiting.asset += 1).error::<UnknownLink>();
            refused(&|call| call.waiting.position += 1);
            refused(&|call| call.waiting.commitment += U256::from(1)).error::<UnknownLink>();
            refused(&|call| call.key = key(9)).error::<UnknownLink>();
            refused(&|call| call.to = user(9)).error::<UnknownLink>();
            refused(&|call| call.items = call.items[32..].to_vec().into());
            let before = world.chain.balance(user(i));
            world.call(user(77), &good).expect("it waits");
            assert_eq!(
                world.chain.balance(user(i)),
                before + coin(520 + u64::from(i))
            );
            let again = world.call(user(77), &good).expect_err("it is paid back");
            assert_eq!(again.error::<AlreadyOut>().index, U256::from(position));
        }
        // A deposit that was taken is in a vault.
        let taken = reclaim_of(&world, 0, 1, end);
        let failed = world.call(user(1), &taken).expect_err("it was taken");
        assert_eq!(failed.error::<NotWaiting>().taken, U256::from(4));
    }
}

#[test]
fn a_deposit_in_a_long_queue_is_paid_back_by_links() {
    for fork in FORKS {
        let mut world = World::new(fork);
        for i in 0..60 {
            world.deposit(i, 500, 0);
        }
        freeze(&mut world);
        let link = |world: &World, start: usize, end: usize| showLinkCall {
            count: U256::from(start),
            commitment: chain_word(world, start),
            items: digests(world, start..end),
            place: U256::from(4_000),
        };
        // A link that leads nowhere is none.
        let nowhere = link(&world, 20, 40);
        world
            .call(user(1), &nowhere)
            .expect_err("40 is not known")
            .error::<UnknownLink>();
        let by_link = reclaim_of(&world, 3, 3, 20);
        world
            .call(user(1), &by_link)
            .expect_err("20 is not known")
            .error::<UnknownLink>();
        let last = link(&world, 40, 60);
        world.call(user(1), &last).expect("it leads to the end");
        world.call(user(1), &nowhere).expect("now 40 is known");
        world.call(user(1), &by_link).expect("and 20 is");
        // The first item made a checkpoint: of one item.
        let mut by_checkpoint = reclaim_of(&world, 0, 0, 1);
        by_checkpoint.place = U256::ZERO;
        world
            .call(user(1), &by_checkpoint)
            .expect("it ends at the checkpoint");
    }
}
