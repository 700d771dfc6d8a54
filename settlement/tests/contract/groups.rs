//! However many items come at once, each settlement that takes some of them has room for a proof.

use p3_field::PrimeCharacteristicRing;
use revm::primitives::hardfork::SpecId;
use shardfold_protocol::field::F;
use shardfold_settlement::interface::IRollup::{
    GROUPCall, INTERVALCall, PATIENCECall, PLACESCall, checkpointCall, queueCall,
};

use crate::common::batch::Settlement;
use crate::common::chain::{FORKS, GAS_CAP};
use crate::common::world::{COIN, OPERATOR, World, owner, user};
use crate::test_artefact;

/// Bytes of a settlement proof (docs/commands.md).
const PROOF_BYTES: usize = 108_480;
/// Bytes of a transaction that nodes pass on.
const TRANSACTION_BYTES: usize = 128 * 1_024;
/// Bytes of a transaction without its call, at most.
const ENVELOPE_BYTES: usize = 256;

/// A ledger whose verifier takes 7 million gas.
fn working(fork: SpecId) -> World {
    World::with_verifier(fork, &test_artefact!("WorkingVerifier"))
}

/// Notes a checkpoint that was made: how many items it has.
fn note(world: &World, ends: &mut Vec<usize>) {
    let queue = world.ask(&queueCall {});
    if queue.checkpoints as usize > ends.len() {
        ends.push(queue.atCheckpoint.to());
    }
}

/// Settles a batch with a proof of a real one's size; returns the gas.
#[track_caller]
fn settle_with_proof(world: &mut World, batch: &Settlement) -> u64 {
    let mut call = batch.call();
    let mut proof = call.proof.to_vec();
    proof.resize(PROOF_BYTES, 0xa7);
    call.proof = proof.into();
    let bytes = alloy_sol_types::SolCall::abi_encoded_size(&call) + ENVELOPE_BYTES;
    assert!(bytes <= TRANSACTION_BYTES, "{bytes} bytes");
    let (chain, rollup) = (&mut world.chain, world.rollup);
    let sent = chain.send(OPERATOR, rollup, alloy_primitives::U256::ZERO, &call);
    let (_, done) = sent.expect("it has room");
    world.state = batch.state.clone();
    done.gas
}

/// Settles all that waits up to each end in turn; returns the most gas and how many batches it took.
fn settle_in_parts(
    world: &mut World,
    ends: &[usize],
    index: impl Fn(usize) -> u32,
) -> (u64, usize) {
    let mut parts: Vec<_> = (0..).zip(ends.iter().copied()).collect();
    // The rest ends at the newest item.
    parts.push((0, world.items.len()));
    let (mut most, mut batches) = (0, 0);
    for (place, end) in parts {
        let taken = world.state.head().queue_count as usize;
        if end <= taken {
            continue;
        }
        assert!(end - taken <= 128, "{} items", end - taken);
        let mut batch = world.execute((taken..end).map(|i| world.taking(i, index(i))).collect());
        batch.place = place;
        most = most.max(settle_with_proof(world, &batch));
        batches += 1;
    }
    (most, batches)
}

/// A thousand deposits of a unit in one block, each of which opens a vault.
#[test]
fn a_thousand_deposits_of_one_block_are_settled_in_parts_with_room_for_a_proof() {
    for fork in FORKS {
        let mut world = working(fork);
        let mut ends = vec![];
        for i in 0..1_000 {
            let owner = [F::from_usize(i + 1), F::ONE, F::ONE, F::ONE];
            world.deposit_as(1, COIN, 1, 0, owner);
            note(&world, &mut ends);
        }
        // The second item makes the first checkpoint, for there was none.
        let expected: Vec<_> = (0..8).map(|i| 1 + 128 * i).collect();
        assert_eq!(ends, expected);
        let (most, batches) = settle_in_parts(&mut world, &ends, |i| 100 + i as u32);
        assert_eq!(batches, 9);
        let left = GAS_CAP
            .checked_sub(most)
            .expect("a transaction has no more");
        println!("{fork:?}: 128 vaults opened with a proof of 7 million gas: {left} gas are left");
        assert_eq!(world.ask(&queueCall {}).taken.to::<u64>(), 1_000);
    }
}

/// "Ten thousand exits" that pay, each of a vault that a deposit has filled before.
#[test]
fn ten_thousand_items_that_pay_are_settled_in_parts_with_room_for_a_proof() {
    const VAULTS: u8 = 128;
    const ROUNDS: usize = 40;
    let mut world = working(SpecId::OSAKA);
    let mut ends = vec![];
    for _ in 0..ROUNDS {
        for i in 0..VAULTS {
            world.deposit(i, 10, 0);
            note(&world, &mut ends);
        }
        for i in 0..VAULTS {
            world.request_exit(i, i.into());
            note(&world, &mut ends);
        }
    }
    assert_eq!(world.items.len(), 10_240);
    let (most, batches) = settle_in_parts(&mut world, &ends, |i| i as u32 % u32::from(VAULTS));
    assert_eq!(batches, 81);
    let owed = world.state.head().withdrawal_count;
    assert_eq!(owed, 5_120);
    let left = GAS_CAP
        .checked_sub(most)
        .expect("a transaction has no more");
    println!("128 exits that pay with a proof of 7 million gas: {left} gas are left");
}

/// Whatever was taken before, the next end is at most 128 items away.
#[test]
fn an_end_is_never_more_than_128_items_away() {
    for fork in FORKS {
        let mut world = World::new(fork);
        // From how many items on, and how many are taken at once before.
        for (before, more) in [
            (1, 300),
            (2, 130),
            (100, 129),
            (128, 128),
            (129, 258),
            (7, 3),
        ] {
            let start = world.items.len();
            for _ in 0..before {
                world.request_exit(1, 5);
            }
            let all = world.items.len();
            world.settle((start..all).map(|i| world.taking(i, 0)).collect());
            let mut end = all;
            for _ in 0..more {
                world.request_exit(1, 5);
                let at: usize = world.ask(&queueCall {}).atCheckpoint.to();
                if at > end {
                    assert!(at - end <= 128, "from {end} to {at}");
                    end = at;
                }
                assert!(world.items.len() - end <= 128, "none since {end}");
            }
            let rest = world.items.len();
            world.settle((all..rest).map(|i| world.taking(i, 0)).collect());
        }
    }
}

/// Checkpoints by count do not bring those by time nearer, and the other way round.
#[test]
fn five_minutes_count_from_a_checkpoint_of_either_sort() {
    for fork in FORKS {
        let mut world = World::new(fork);
        for _ in 0..130 {
            world.request_exit(1, 5);
        }
        world.wait(299);
        world.request_exit(1, 5);
        let made = |world: &World| world.ask(&queueCall {}).checkpoints;
        assert_eq!(made(&world), 2);
        world
            .call(user(9), &checkpointCall {})
            .expect_err("299 s after");
        world.wait(1);
        world.call(user(9), &checkpointCall {}).expect("it is time");
        for _ in 0..128 {
            world.request_exit(1, 5);
        }
        assert_eq!(made(&world), 3);
        world.request_exit(1, 5);
        assert_eq!(made(&world), 4);
    }
}

/// An item each five minutes for 14 days, and twenty thousand at the end: the first checkpoint is there.
#[test]
fn neither_time_nor_a_flood_pushes_out_the_checkpoint_that_a_batch_needs() {
    let mut world = World::new(SpecId::OSAKA);
    let [places, interval, group, patience] = [
        world.ask(&PLACESCall {}),
        world.ask(&INTERVALCall {}),
        world.ask(&GROUPCall {}),
        world.ask(&PATIENCECall {}),
    ]
    .map(|number| number.to::<u64>());
    let by_time = patience / interval + 1;
    assert!((places - by_time) * group > 524_288);
    world.deposit(1, 10, 0);
    for _ in 0..by_time - 1 {
        world.request_exit(2, 5);
        world.wait(interval);
    }
    for _ in 0..20_000 {
        world.request_exit(2, 5);
    }
    let queue = world.ask(&queueCall {});
    assert!(u64::from(queue.checkpoints) > 4_096 + 90);
    // The first one is of the deposit alone.
    let batch = world.execute(vec![world.taking(0, 1)]);
    world.try_settle(&batch).expect("it ends at the checkpoint");
    assert_eq!(world.ask(&queueCall {}).taken.to::<u64>(), 1);
    let vault = world.state.tree().get(1).vault().expect("it is one");
    assert_eq!(vault.owner, owner(1));
}
