//! What the contract refuses to settle, whatever a proof says.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolEvent;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::difference::decode;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::compress;
use shardfold_protocol::record::Record;
use shardfold_protocol::transaction::Transaction;
use shardfold_protocol::tree::StateTree;
use shardfold_settlement::encoding::{
    STATEMENT_BYTES, head_bytes, head_digest, statement_bytes, word,
};
use shardfold_settlement::interface::IHashes::Length;
use shardfold_settlement::interface::IRollup::{
    NoCheckpoint, NotCanonical, ProofLength, ProofRefused, Settled, TimeRunsBack, TooFarAhead,
    TooOld, WrongChainId, WrongData, WrongHead, WrongQueue, WrongWithdrawalCount, WrongWithdrawals,
    settleCall,
};

use crate::common::batch::Settlement;
use crate::common::chain::{FORKS, Failed};
use crate::common::world::{COIN, FREE, LEDGER, OPERATOR, World, account, owner, signed};

/// A world with three vaults, and a batch that takes two withdrawals and an exit of them.
fn scene(fork: SpecId) -> (World, Settlement) {
    let mut world = World::new(fork);
    for i in 0..3 {
        world.deposit(i, 1_000 + u64::from(i), 0);
    }
    let taken = (0..3).map(|i| world.taking(i, i as u32)).collect();
    world.settle(taken);
    world.wait(600);
    world.request_exit(2, 2);
    let batch = world.execute(vec![
        world.withdrawing(0, 0, 10, 0),
        world.withdrawing(1, 1, 20, 0),
        world.taking(3, 0),
    ]);
    (world, batch)
}

/// Settles a changed call as the operator; expects that it is refused.
#[track_caller]
fn refused(world: &World, batch: &Settlement, change: impl FnOnce(&mut settleCall)) -> Failed {
    let mut call = batch.call();
    change(&mut call);
    let mut world = world.clone();
    let result = world.settle_as(OPERATOR, &call);
    result.expect_err("it is not the batch that was executed")
}

/// A statement with another value at an element.
fn with_element(batch: &Settlement, place: usize, value: u64) -> Bytes {
    let mut bytes = statement_bytes(&batch.statement);
    bytes[8 * place..][..8].copy_from_slice(&value.to_be_bytes());
    bytes.into()
}

/// "Non-canonical field elements, public inputs beyond the modulus".
#[test]
fn an_element_of_the_statement_that_is_not_below_p_is_refused() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let elements = batch.statement.elements();
        for (place, element) in elements.iter().enumerate() {
            let value = element.as_canonical_u64();
            // The same element of the field, where 64 bits have room for it.
            let above = value.saturating_add(MODULUS);
            let failed = refused(&world, &batch, |call| {
                call.proof = with_element(&batch, place, above);
            });
            match place {
                0 => assert_eq!(failed.error::<WrongChainId>().found, U256::from(above)),
                1..=24 => assert_eq!(
                    failed.error::<WrongHead>().expected,
                    head_digest(&batch.statement.before)
                ),
                _ => {
                    failed.error::<NotCanonical>();
                }
            }
        }
    }
}

#[test]
fn any_other_element_of_a_statement_is_refused() {
    // Of state root, time, transaction count and transaction chain only the verifier knows; the one of
    // these tests knows nothing.
    let known = |place: usize| place <= 24 || (31..45).contains(&place);
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let elements = batch.statement.elements();
        for (place, element) in elements
            .iter()
            .enumerate()
            .filter(|(place, _)| known(*place))
        {
            let other = (*element + F::ONE).as_canonical_u64();
            refused(&world, &batch, |call| {
                call.proof = with_element(&batch, place, other)
            });
        }
        world
            .clone()
            .try_settle(&batch)
            .expect("unchanged it is settled");
    }
}

#[test]
fn a_proof_that_the_verifier_refuses_is_refused() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let longer = refused(&world, &batch, |call| {
            call.proof = [&call.proof[..], &[0]].concat().into();
        });
        longer.error::<ProofRefused>();
        let shorter = refused(&world, &batch, |call| {
            call.proof = call.proof[..STATEMENT_BYTES - 1].to_vec().into();
        });
        let found = shorter.error::<ProofLength>().found;
        assert_eq!(found, U256::from(STATEMENT_BYTES - 1));
    }
}

#[test]
fn a_batch_is_settled_once() {
    for fork in FORKS {
        let (mut world, batch) = scene(fork);
        world.try_settle(&batch).expect("it is the next");
        let again = world.try_settle(&batch).expect_err("it was the next");
        again.error::<WrongHead>();
    }
}

#[test]
fn time_keeps_within_a_day_and_a_quarter_of_an_hour() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let executed = batch.statement.after.time;
        let settle_at = |time: u64| {
            let mut world = world.clone();
            world.chain.time = time;
            world.try_settle(&batch).map(|_| ())
        };
        let day = 24 * 60 * 60;
        assert_eq!(settle_at(executed + day), Ok(()));
        let old = settle_at(executed + day + 1).expect_err("it is too old");
        assert_eq!(
            old.error::<TooOld>().leastExpected,
            U256::from(executed + 1)
        );
        assert_eq!(settle_at(executed - 900), Ok(()));
        let ahead = settle_at(executed - 901).expect_err("it is too far ahead");
        assert_eq!(
            ahead.error::<TooFarAhead>().mostExpected,
            U256::from(executed - 1)
        );
        let before = batch.statement.before.time;
        let back = refused(&world, &batch, |call| {
            call.proof = with_element(&batch, 30, before - 1)
        });
        assert_eq!(
            back.error::<TimeRunsBack>().leastExpected,
            U256::from(before)
        );
    }
}

#[test]
fn only_the_list_of_withdrawals_that_the_batch_owes_is_taken() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let list = batch.call().withdrawals.to_vec();
        let with = |list: Vec<u8>| refused(&world, &batch, |call| call.withdrawals = list.into());
        let count = with(list[48..].to_vec()).error::<WrongWithdrawalCount>();
        assert_eq!(
            (count.found, count.expected),
            (U256::from(2), U256::from(3))
        );
        with([&list[..], &list[..48]].concat()).error::<WrongWithdrawalCount>();
        with([&list[48..96], &list[..48], &list[96..]].concat()).error::<WrongWithdrawals>();
        for place in 0..list.len() {
            let mut other = list.clone();
            other[place] ^= 1;
            with(other).error::<WrongWithdrawals>();
        }
        // The same elements, but not below p.
        let mut above = list.clone();
        above[..8].copy_from_slice(&(1 + MODULUS).to_be_bytes());
        with(above).error::<NotCanonical>();
        let longer = with([&list[..], &[0]].concat()).error::<Length>();
        assert_eq!(longer.found, U256::from(145));
        with(list[1..].to_vec()).error::<WrongWithdrawalCount>();
    }
}

#[test]
fn only_the_differences_of_the_batch_are_taken() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let data = batch.call().data.to_vec();
        let with = |data: Vec<u8>| refused(&world, &batch, |call| call.data = data.into());
        let missing = with(data[32..].to_vec()).error::<WrongData>();
        assert_eq!(
            missing.expected,
            word(&batch.statement.after.data_commitment)
        );
        with(vec![]).error::<WrongData>();
        with([&data[..], &[0; 32]].concat()).error::<WrongData>();
        let length = with(data[1..].to_vec()).error::<Length>();
        assert_eq!(length.found, U256::from(data.len() - 1));
        for place in 0..data.len() {
            let mut other = data.clone();
            other[place] ^= 1;
            with(other);
        }
        let element = batch.data.iter().position(|element| *element == F::ZERO);
        let place = 8 * element.expect("a balance is zero");
        let mut above = data.clone();
        above[place..place + 8].copy_from_slice(&MODULUS.to_be_bytes());
        with(above).error::<NotCanonical>();
    }
}

#[test]
fn a_chain_over_other_items_is_refused() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        // All items, but not these.
        let wrong = compress(&batch.statement.before.queue_commitment, &[F::TWO; 4]);
        let mut other = batch.clone();
        other.statement.after.queue_commitment = wrong;
        let failed = world
            .clone()
            .try_settle(&other)
            .expect_err("the queue has others");
        assert_eq!(failed.error::<WrongQueue>().found, word(&wrong));
        // More items than there are.
        other.statement.after.queue_count += 1;
        let failed = world
            .clone()
            .try_settle(&other)
            .expect_err("there are no more");
        assert_eq!(failed.error::<NoCheckpoint>().count, U256::from(5));
        // No items, but another chain.
        other.statement.after.queue_count -= 2;
        let failed = world
            .clone()
            .try_settle(&other)
            .expect_err("the chain stays");
        failed.error::<WrongQueue>();
    }
}

/// "Base-chain reorg, wrong exit root" (Polygon zkEVM, 23 March 2024).
#[test]
fn a_batch_that_took_a_deposit_of_another_branch_is_refused() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        world.wait(30);
        let mut other_branch = world.clone();
        world.deposit(7, 77, 0);
        let transactions = |world: &World| -> Vec<Transaction> {
            (3..world.items.len())
                .map(|i| world.taking(i, 10 + i as u32))
                .collect()
        };
        let batch = world.execute(transactions(&world));
        // On the other branch another deposit came instead.
        other_branch.deposit(8, 88, 0);
        let failed = other_branch
            .try_settle(&batch)
            .expect_err("it took what is not there");
        failed.error::<WrongQueue>();
        let anew = other_branch.execute(transactions(&other_branch));
        other_branch
            .try_settle(&anew)
            .expect("made anew it is settled");
        world
            .try_settle(&batch)
            .expect("on its own branch it is settled");
    }
}

#[test]
fn the_events_are_all_that_a_state_is_made_of() {
    for fork in FORKS {
        let (world, batch) = scene(fork);
        let mut chain = world.chain.clone();
        let sent = chain.send(OPERATOR, world.rollup, U256::ZERO, &batch.call());
        let (_, done) = sent.expect("it is settled");
        let log = done.logs.first().expect("it says so");
        let event = Settled::decode_log(log).expect("it is this event").data;
        assert_eq!(event.head, Bytes::from(head_bytes(&batch.statement.after)));
        assert_eq!(event.withdrawals, batch.call().withdrawals);
        let (elements, rest) = event.data.as_chunks::<8>();
        assert!(rest.is_empty());
        let element = |bytes: &[u8; 8]| F::from_u64(u64::from_be_bytes(*bytes));
        let elements: Vec<_> = elements.iter().map(element).collect();
        let mut tree: StateTree = world.state.tree().clone();
        for (index, change) in decode(&elements).expect("they are differences") {
            let record: Record = change.apply(&tree.get(index)).expect("it follows");
            tree.update(&[(index, record)]);
        }
        assert_eq!(tree.root(), batch.statement.after.state_root);
        assert_eq!(world.state.chain_id(), LEDGER);
    }
}

/// How much direct mode holds: what the README says, with room for a proof of 100 kB.
#[test]
fn direct_mode_holds_twelve_hundred_changed_vaults_or_opens_two_hundred_and_fifty() {
    const OPENED: usize = 250;
    /// What is left of 2^24 when calldata and verifier of a real proof have taken 4 million.
    const ROOM: u64 = 12_700_000;
    let mut world = World::new(SpecId::OSAKA);
    for batch in 0..5 {
        for i in 0..OPENED {
            world.deposit(i as u8, 1_000, 0);
        }
        let positions = batch * OPENED..(batch + 1) * OPENED;
        let taken = positions.map(|i| world.taking(i, i as u32)).collect();
        let settlement = world.execute(taken);
        let gas = world.try_settle(&settlement).expect("it is settled");
        println!("{OPENED} vaults opened: {gas} gas");
        assert!(gas < ROOM, "{gas}");
    }
    let transfer = |i: usize| {
        let owner_of = |index: usize| (index % OPENED) as u8;
        let body = Transfer {
            from: i as u32,
            to: i as u32 + 600,
            to_owner: owner(owner_of(i + 600)),
            asset: COIN.into(),
            amount: 1,
            fee: FREE,
            nonce: 0,
        };
        signed(&account(owner_of(i)), &body)
    };
    let settlement = world.execute((0..600).map(transfer).collect());
    let gas = world.try_settle(&settlement).expect("it is settled");
    println!("1200 vaults changed: {gas} gas");
    assert!(gas < ROOM, "{gas}");
}
