//! The calls that are made of published data, sent to the contract.

use alloy_primitives::{Address, B256};
use serde_json::json;
use shardfold_protocol::state::State;
use shardfold_settlement::encoding::word;
use shardfold_settlement::events::{Events, Log};
use shardfold_settlement::interface::IRollup::{earnedCall, potCall, queueCommitmentCall};
use shardfold_settlement::leaving::{Call, Exit, Known, LeavingError, Step, exit};
use shardfold_settlement::published::{PublishedError, rebuild, settled};

use crate::common::chain::{Chain, EVM_CHAIN_ID, FORKS, forks_and_modes};
use crate::common::world::{OPERATOR, World, coin, key, user};
use crate::freeze::freeze;
use crate::published::empty;
use crate::scene::{DEBTOR, MONTH, Scene};

/// The calls for an owner's records.
pub fn calls(state: &State, key: [u64; 5], to: Address) -> Result<Vec<Call>, LeavingError> {
    let known = Known {
        state,
        batches: &[],
        events: &Events::default(),
        // As if nothing waited.
        queue_commitment: word(&state.head().queue_commitment),
        base_chain: EVM_CHAIN_ID as u32,
    };
    exit(&known, key, to).map(|exit| exit.calls)
}

/// The answer of a node that is asked for a contract's logs.
fn logs(chain: &Chain) -> Vec<Log> {
    let log = |log: &alloy_primitives::Log| {
        let log = json!({ "address": log.address, "topics": log.topics(), "data": log.data.data });
        serde_json::from_value(log).expect("it is a log")
    };
    chain.logs.iter().map(log).collect()
}

/// What leads a user out, from the logs and the kept blobs alone.
fn exit_of(world: &World, i: u8) -> Exit {
    exit_by(world, i, |_| {})
}

/// The same with events that are not all there.
fn exit_by(world: &World, i: u8, change: impl FnOnce(&mut Events)) -> Exit {
    let logs = logs(&world.chain);
    let batches = settled(&logs, world.rollup).expect("they are all there");
    let mut state = empty();
    let blob = |hash: &B256| world.archive.get(hash).cloned();
    rebuild(&mut state, &batches, blob).expect("they lead to the last head");
    let mut events = Events::read(&logs, world.rollup).expect("they are the contract's");
    change(&mut events);
    let known = Known {
        state: &state,
        batches: &batches,
        events: &events,
        queue_commitment: world.ask(&queueCommitmentCall {}),
        base_chain: EVM_CHAIN_ID as u32,
    };
    exit(&known, key(i), user(i)).expect("it is a key")
}

fn send(world: &mut World, call: &Call) {
    let sent = world
        .chain
        .send_data(user(77), world.rollup, call.data.to_vec());
    sent.unwrap_or_else(|error| panic!("{:?}: {error:?}", call.step));
}

/// Vaults, withdrawals of several batches of which one was claimed, and deposits that wait among
/// hundreds of others.
fn scene(mut world: World) -> World {
    for i in 1..4 {
        world.deposit(i, 1_000 * u64::from(i), 0);
    }
    world.settle((0..3).map(|i| world.taking(i, i as u32)).collect());
    let first = world.settle(vec![
        world.withdrawing(1, 0, 70, 0),
        world.withdrawing(2, 1, 30, 0),
        world.withdrawing(1, 0, 70, 1),
    ]);
    let claim = world.claim(1, &first, 2);
    world.call(user(5), &claim).expect("it is owed");
    world.wait(300);
    world.settle(vec![world.withdrawing(3, 2, 9, 0)]);
    for round in 0..100 {
        for i in 4..7 {
            world.deposit(i, 10 + round, u64::from(i));
        }
    }
    world.deposit(1, 5_000, 3);
    world
}

#[test]
fn everything_of_everybody_leaves_by_what_was_published() {
    for (fork, mode) in forks_and_modes() {
        let mut world = scene(World::with_mode(fork, mode));
        freeze(&mut world);
        let deposits: u64 = (0..100).map(|round| 10 + round).sum();
        let expected = [
            (1, 1, 1, 1, 1_000 - 70 + 5_003),
            (2, 1, 0, 1, 2_000),
            (3, 1, 0, 1, 3_000),
            (4, 0, 100, 0, deposits + 400),
            (5, 0, 100, 0, deposits + 500),
            (6, 0, 100, 0, deposits + 600),
        ];
        for (i, claims, reclaims, escapes, units) in expected {
            let found = exit_of(&world, i);
            assert_eq!(found.stuck, []);
            let count = |name| {
                let calls = found.calls.iter();
                calls.filter(|call| call.step.name().0 == name).count()
            };
            let counts = ["claim", "reclaim", "escape"].map(count);
            assert_eq!(counts, [claims, reclaims, escapes], "{i}");
            assert_eq!(found.calls.len(), claims + reclaims + escapes);
            let before = world.chain.balance(user(i));
            for call in &found.calls {
                send(&mut world, call);
            }
            assert_eq!(world.chain.balance(user(i)), before + coin(units), "{i}");
            // All of it is known to have left, and a withdrawal that was claimed before.
            let left = exit_of(&world, i);
            assert_eq!((left.calls, left.stuck), (vec![], vec![]));
            let gone = found.calls.len() + usize::from(i == 1);
            assert_eq!(left.gone.len(), gone);
        }
        // What the items cost stays: what settlers have earned, and the rest of it.
        let earned = world.ask(&earnedCall { settler: OPERATOR });
        let left = world.chain.balance(world.rollup);
        assert_eq!(left, earned + world.ask(&potCall {}));
    }
}

/// Behind the deposits are more items than one call shows, and no checkpoint that is known: links are
/// shown first.
#[test]
fn deposits_before_a_long_queue_leave_by_links() {
    let mut world = World::new(FORKS[0]);
    world.deposit(1, 500, 0);
    for i in 0..1_100 {
        world.deposit(2 + (i % 2) as u8, 10, 0);
    }
    freeze(&mut world);
    let exit = exit_by(&world, 1, |events| events.checkpoints.clear());
    let names: Vec<_> = exit.calls.iter().map(|call| call.step.name()).collect();
    // 1,101 items in all: from behind to the front.
    let expected = [("showLink", 589), ("showLink", 77), ("reclaim", 0)];
    assert_eq!(names, expected);
    let before = world.chain.balance(user(1));
    for call in &exit.calls {
        send(&mut world, call);
    }
    assert_eq!(world.chain.balance(user(1)), before + coin(500));
    // With the checkpoints none are needed.
    assert_eq!(exit_of(&world, 2).calls.len(), 550);
}

/// A list of withdrawals that is not the batch's leads to no claim.
#[test]
fn withdrawals_are_those_of_the_head() {
    let world = scene(World::new(FORKS[0]));
    let logs = logs(&world.chain);
    let good = settled(&logs, world.rollup).expect("they are all there");
    let refused = |change: &dyn Fn(&mut Vec<_>)| {
        let mut batches = good.clone();
        change(&mut batches[1].withdrawals);
        let error = rebuild(&mut empty(), &batches, |_| None).expect_err("other withdrawals");
        let expected = matches!(error, PublishedError::Withdrawals { batch: 1, .. });
        assert!(expected, "{error}");
    };
    refused(&|list| list.swap(0, 1));
    refused(&|list| list.truncate(2));
    refused(&|list| list.push(list[0]));
    refused(&|list| list[0].amount = list[1].amount);
}

/// Claims need no freeze; the others do.
#[test]
fn before_a_freeze_only_claims_are_paid() {
    let mut world = scene(World::new(FORKS[0]));
    for call in exit_of(&world, 1).calls {
        let is_claim = matches!(call.step, Step::Claim { .. });
        let sent = world
            .chain
            .send_data(user(77), world.rollup, call.data.to_vec());
        assert_eq!(sent.is_ok(), is_claim, "{:?}", call.step);
    }
}

/// For 30 days who sends `repay` pays for the owner, then for oneself.
#[test]
fn a_late_payer_of_a_debt_gets_the_collateral() {
    for late in [false, true] {
        let mut scene = Scene::new(FORKS[0]);
        freeze(&mut scene.world);
        scene.world.wait(MONTH + u64::from(late));
        let owner = 3;
        let state = scene.world.state.clone();
        let (rollup, mut sent) = (scene.world.rollup, 0);
        for call in calls(&state, key(owner), user(owner)).expect("it is a key") {
            let Step::Repay {
                index: DEBTOR,
                debt,
                ..
            } = call.step
            else {
                if matches!(call.step, Step::Open { .. }) {
                    send(&mut scene.world, &call);
                }
                continue;
            };
            let chain = &mut scene.world.chain;
            chain.fund(user(9), coin(debt));
            let done = chain.pay_data(user(9), rollup, coin(debt), call.data.to_vec());
            done.expect("it is the debt");
            sent += 1;
        }
        assert_eq!(sent, 1);
        let asset = scene.asset.into();
        let due = [owner, 9].map(|i| scene.due(i, asset) > 0);
        assert_eq!(due, [!late, late]);
    }
}
