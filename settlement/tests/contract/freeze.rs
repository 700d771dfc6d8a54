//! The way out without the operator: freeze, escape, reclaim.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::FeePayment;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::data::differences;
use shardfold_protocol::difference::decode;
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::record::Index;
use shardfold_protocol::tree::StateTree;
use shardfold_settlement::data::{DataMode, from_blob, from_calldata};
use shardfold_settlement::encoding::{digest, head_bytes, record_words, word};
use shardfold_settlement::interface::IRollup::{
    AlreadyOut, IsFrozen, IsNotFrozen, NoVault, NotCanonical, NotOverdue, Settled, WrongHead,
    WrongOwner, WrongRoot, checkpointCall, claimCall, collectCall, depositCall, escapeCall,
    freezeCall, frozenAtCall, itemPriceCall, openCall, payDueCall, potCall, redeemCall,
    refundPayoutCall, repayCall, requestExitCall, showLinkCall,
};

use crate::common::chain::{FORKS, forks_and_modes};
use crate::common::world::{COIN, OPERATOR, PRICE, World, account, coin, key, owner, signed, user};
use crate::reclaim::{chain_word, reclaim_of};

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
pub fn scene(fork: SpecId, mode: DataMode) -> (World, Vec<Settled>) {
    let mut world = World::with_mode(fork, mode);
    let mut events = vec![];
    let mut settle = |world: &mut World, transactions| {
        let batch = world.execute(transactions);
        let done = world.send_settlement(&batch).expect("it is settled");
        let log = Settled::decode_log(&done.logs[0]).expect("it is this event");
        events.push(log.data);
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
    for (fork, mode) in forks_and_modes() {
        let (mut world, events) = scene(fork, mode);
        freeze(&mut world);
        // Nothing but the events and their blobs from here on.
        let (mut tree, mut before) = (StateTree::new(), ZERO_DIGEST);
        for event in &events {
            let mut coefficients = from_calldata(&event.data).expect("whole coefficients");
            for hash in &event.blobs {
                coefficients.extend(from_blob(&world.archive[hash]).expect("a blob"));
            }
            let after = U256::from_be_slice(&event.head[128..160]);
            let after = digest(after).expect("four elements");
            let elements = differences(&coefficients, &before, &after).expect("they lead there");
            before = after;
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
            let claim = claimCall {
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
        let (mut world, _) = scene(fork, DataMode::Calldata);
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

/// What is for a frozen contract alone works in no other.
#[test]
fn nothing_leaves_before_the_contract_is_frozen() {
    for fork in FORKS {
        let (world, _) = scene(fork, DataMode::Calldata);
        let (key, to, number) = (key(1), user(1), U256::ZERO);
        let open = openCall {
            head: head_bytes(world.state.head()).into(),
            index: 0,
            record: [number; 2],
            siblings: [number; 32],
        };
        let link = showLinkCall {
            count: U256::from(4),
            commitment: chain_word(&world, 4),
            items: Bytes::new(),
            place: number,
        };
        let calls = [
            escape_of(&world, 0, 1).abi_encode(),
            reclaim_of(&world, 3, 1, 4).abi_encode(),
            link.abi_encode(),
            open.abi_encode(),
            payDueCall { asset: number, to }.abi_encode(),
            redeemCall { asset: number, to }.abi_encode(),
            repayCall { index: 0, key, to }.abi_encode(),
            refundPayoutCall { index: 0, key, to }.abi_encode(),
        ];
        for data in calls {
            let failed = world.clone().chain.send_data(user(1), world.rollup, data);
            let failed = failed.expect_err("it is not frozen");
            assert_eq!(failed.error::<IsNotFrozen>(), IsNotFrozen {});
        }
    }
}

/// A checkpoint that is older than the item after it must not make that item older.
#[test]
fn a_checkpoint_does_not_make_items_older() {
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
        let (mut world, _) = scene(fork, DataMode::Calldata);
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
        let checkpoint = world.call(user(1), &checkpointCall {});
        checkpoint.expect_err("nothing is made").error::<IsFrozen>();
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
        let (mut world, events) = scene(fork, DataMode::Calldata);
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
        refused(&|call| call.record[1] |= U256::from(u64::MAX)).error::<NotCanonical>();
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
