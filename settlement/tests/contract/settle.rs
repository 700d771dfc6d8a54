//! What the contract refuses to settle, whatever a proof says.

use alloy_primitives::{Bytes, U256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::set::standard;
use shardfold_executor::{parallel, shards};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::data::SETTLEMENT_ELEMENTS;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::files;
use shardfold_protocol::hash::compress;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::batch::{BatchError, ChangesError, SettledBatch};
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::{SETTLEMENT_BYTES, head_digest, word};
use shardfold_settlement::interface::IHashes::Length;
use shardfold_settlement::interface::IRollup::{
    HalfTooLarge, NoCheckpoint, NotCanonical, ProofLength, ProofRefused, TimeRunsBack, TooFarAhead,
    TooOld, WrongChainId, WrongHead, WrongPoint, WrongQueue, WrongWithdrawalCount,
    WrongWithdrawals, settleCall,
};

use crate::common::batch::Settlement;
use crate::common::chain::{Failed, forks_and_modes};
use crate::common::world::{OPERATOR, World};

/// A world with three vaults, and a batch that takes two withdrawals and an exit of them; with its
/// call, to which the next transaction has the blobs.
fn scene(fork: SpecId, mode: DataMode) -> (World, Settlement, settleCall) {
    let mut world = World::with_mode(fork, mode);
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
    let publication = batch.publication();
    world.chain.blobs = publication.versioned_hashes().to_vec();
    let call = batch.call_with(&publication);
    (world, batch, call)
}

/// Settles a changed call as the operator; expects that it is refused.
#[track_caller]
fn refused(world: &World, call: &settleCall, change: impl FnOnce(&mut settleCall)) -> Failed {
    let mut call = call.clone();
    change(&mut call);
    let mut world = world.clone();
    let result = world.settle_as(OPERATOR, &call);
    result.expect_err("it is not the batch that was executed")
}

/// What a proof states, element by element.
fn elements(call: &settleCall) -> [u64; SETTLEMENT_ELEMENTS] {
    let (words, _) = call.proof.as_chunks();
    core::array::from_fn(|i| u64::from_be_bytes(words[i]))
}

/// A proof that states another value at an element.
fn with_element(call: &settleCall, place: usize, value: u64) -> Bytes {
    let mut bytes = call.proof.to_vec();
    bytes[8 * place..][..8].copy_from_slice(&value.to_be_bytes());
    bytes.into()
}

/// "Non-canonical field elements, public inputs beyond the modulus".
#[test]
fn an_element_of_the_statement_that_is_not_below_p_is_refused() {
    for (fork, mode) in forks_and_modes() {
        let (world, batch, call) = scene(fork, mode);
        for (place, value) in elements(&call).into_iter().enumerate() {
            // The same element of the field, where 64 bits have room for it.
            let above = value.saturating_add(MODULUS);
            let failed = refused(&world, &call, |call| {
                call.proof = with_element(call, place, above);
            });
            match place {
                0 => assert_eq!(failed.error::<WrongChainId>().found, U256::from(above)),
                1..=24 => assert_eq!(
                    failed.error::<WrongHead>().expected,
                    head_digest(&batch.statement.before)
                ),
                25..49 => {
                    failed.error::<NotCanonical>();
                }
                49 | 50 => {
                    failed.error::<WrongPoint>();
                }
                _ => {
                    failed.error::<HalfTooLarge>();
                }
            }
        }
    }
}

#[test]
fn any_other_element_of_a_statement_is_refused() {
    // Of state root, time, transaction count and transaction chain only the verifier knows; the one of
    // these tests knows nothing.
    let known = |place: usize| place <= 24 || (31..45).contains(&place) || place >= 49;
    for (fork, mode) in forks_and_modes() {
        let (world, batch, call) = scene(fork, mode);
        let elements = elements(&call).into_iter().enumerate();
        for (place, element) in elements.filter(|(place, _)| known(*place)) {
            let other = (F::from_u64(element) + F::ONE).as_canonical_u64();
            refused(&world, &call, |call| {
                call.proof = with_element(call, place, other)
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
    for (fork, mode) in forks_and_modes() {
        let (world, _, call) = scene(fork, mode);
        let longer = refused(&world, &call, |call| {
            call.proof = [&call.proof[..], &[0]].concat().into();
        });
        longer.error::<ProofRefused>();
        let shorter = refused(&world, &call, |call| {
            call.proof = call.proof[..SETTLEMENT_BYTES - 1].to_vec().into();
        });
        let found = shorter.error::<ProofLength>().found;
        assert_eq!(found, U256::from(SETTLEMENT_BYTES - 1));
    }
}

#[test]
fn a_batch_is_settled_once() {
    for (fork, mode) in forks_and_modes() {
        let (mut world, batch, _) = scene(fork, mode);
        world.try_settle(&batch).expect("it is the next");
        let again = world.try_settle(&batch).expect_err("it was the next");
        again.error::<WrongHead>();
    }
}

#[test]
fn time_keeps_within_a_day_and_a_quarter_of_an_hour() {
    for (fork, mode) in forks_and_modes() {
        let (world, batch, call) = scene(fork, mode);
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
        let back = refused(&world, &call, |call| {
            call.proof = with_element(call, 30, before - 1)
        });
        assert_eq!(
            back.error::<TimeRunsBack>().leastExpected,
            U256::from(before)
        );
    }
}

#[test]
fn only_the_list_of_withdrawals_that_the_batch_owes_is_taken() {
    for (fork, mode) in forks_and_modes() {
        let (world, batch, call) = scene(fork, mode);
        let list = batch.call().withdrawals.to_vec();
        let with = |list: Vec<u8>| refused(&world, &call, |call| call.withdrawals = list.into());
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
fn a_chain_over_other_items_is_refused() {
    for (fork, mode) in forks_and_modes() {
        let (world, batch, _) = scene(fork, mode);
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
    for (fork, mode) in forks_and_modes() {
        let (mut world, ..) = scene(fork, mode);
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

/// The file of a batch's changes need not be believed: what its heads do not say is refused.
#[test]
fn changes_are_those_of_their_statement() {
    let (_, batch, _) = scene(SpecId::OSAKA, DataMode::Calldata);
    let good = batch.settled();
    assert!(good.withdrawals.len() > 1 && good.differences.len() > 4);
    assert_eq!(good.check(), Ok(()));
    let bytes = files::to_binary(&good).expect("it is small");
    assert_eq!(
        files::from_bytes::<SettledBatch>(&bytes).expect("it is whole"),
        good
    );
    let json = files::to_json(&good).expect("it is small");
    assert_eq!(
        files::from_bytes::<SettledBatch>(&json).expect("it is whole"),
        good
    );

    let refused = |change: &dyn Fn(&mut SettledBatch)| {
        let mut other = good.clone();
        change(&mut other);
        other.check().expect_err("it is not the batch's")
    };
    for change in [
        &(|batch: &mut SettledBatch| batch.differences[1] += F::ONE) as &dyn Fn(&mut SettledBatch),
        &|batch| batch.differences.truncate(4),
        // Less than a block.
        &|batch| batch.differences.push(F::ONE),
        &|batch| batch.statement.before.data_commitment[0] += F::ONE,
    ] {
        assert!(matches!(refused(change), ChangesError::Differences { .. }));
    }
    for change in [
        &(|batch: &mut SettledBatch| batch.withdrawals.swap(0, 1)) as &dyn Fn(&mut SettledBatch),
        &|batch| batch.withdrawals.truncate(1),
        &|batch| batch.withdrawals[0].amount += F::ONE,
        &|batch| batch.statement.after.withdrawal_count += 1,
        &|batch| batch.statement.chain_id += 1,
    ] {
        assert!(matches!(refused(change), ChangesError::Withdrawals { .. }));
    }
    let beyond = refused(&|batch| batch.statement.after.tx_count = MODULUS);
    assert!(matches!(beyond, ChangesError::Statement(_)));
}

/// Shards are read as a batch only where each goes on from the one before.
#[test]
fn shards_with_a_gap_are_no_batch() {
    let mut world = World::new(SpecId::OSAKA);
    for i in 0..40 {
        world.deposit(i, 1_000, 0);
    }
    let transactions = (0..40).map(|i| world.taking(i, i as u32)).collect();
    let batch = Batch {
        chain_id: world.state.chain_id(),
        before: *world.state.head(),
        time: world.chain.time,
        transactions,
    };
    let outcome = parallel::execute(standard(), &world.state, &batch).expect("it starts here");
    let mut state = world.state.clone();
    let shards = shards::cut(standard(), &mut state, &batch, &outcome, &[Shape::TINY]);
    let shards = shards.expect("each fits");
    assert!(shards.len() > 2, "{}", shards.len());
    let whole = SettledBatch::of_shards(standard(), &shards).expect("they follow one another");
    assert_eq!(whole.statement.after, *state.head());
    let without = [&shards[..1], &shards[2..]].concat();
    for shards in [&[][..], &without] {
        let error = SettledBatch::of_shards(standard(), shards).expect_err("there is a gap");
        assert!(matches!(error, BatchError::Gap { .. }), "{error}");
    }
}
