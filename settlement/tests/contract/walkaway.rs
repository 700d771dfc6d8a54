//! "Proposer failure, walkaway test" (L2BEAT): who may settle, and from when on.

use alloy_primitives::U256;
use revm::primitives::hardfork::SpecId;
use shardfold_settlement::interface::IRollup::{OnlyOperator, nameOperatorCall};

use crate::common::chain::FORKS;
use crate::common::world::{GOVERNOR, OPERATOR, World, user};

const TWO_DAYS: u64 = 2 * 24 * 3_600;

/// A world whose operator has just settled a vault of user 1, at index 0.
fn scene(fork: SpecId) -> World {
    let mut world = World::new(fork);
    world.wait(1_000);
    world.deposit(1, 1_000_000, 0);
    world.settle(vec![world.taking(0, 0)]);
    world
}

/// Settles the next withdrawal of a unit as somebody who may.
#[track_caller]
fn settle_as(world: &mut World, i: u8, nonce: u64) {
    let batch = world.execute(vec![world.withdrawing(1, 0, 1, nonce)]);
    world
        .settle_as(user(i), &batch.call())
        .expect("anybody may");
    world.state = batch.state;
}

/// Expects that somebody may not settle yet, but from a time on.
#[track_caller]
fn must_wait(world: &World, i: u8, nonce: u64, from: u64) {
    let mut world = world.clone();
    let batch = world.execute(vec![world.withdrawing(1, 0, 1, nonce)]);
    let early = world
        .settle_as(user(i), &batch.call())
        .expect_err("the operator may");
    let expected = OnlyOperator {
        found: user(i),
        expected: OPERATOR,
        anybodyFrom: U256::from(from),
    };
    assert_eq!(early.error::<OnlyOperator>(), expected);
}

#[test]
fn anybody_settles_when_the_operator_has_not_for_two_days() {
    for fork in FORKS {
        let mut world = scene(fork);
        let from = world.chain.time + TWO_DAYS;
        must_wait(&world, 5, 0, from);
        world.wait(TWO_DAYS - 1);
        must_wait(&world, 5, 0, from);
        world.wait(1);
        settle_as(&mut world, 5, 0);
        // The operator comes back: it has two days again.
        let batch = world.execute(vec![world.withdrawing(1, 0, 1, 1)]);
        world
            .settle_as(OPERATOR, &batch.call())
            .expect("it is the operator");
        world.state = batch.state;
        must_wait(&world, 5, 2, world.chain.time + TWO_DAYS);
    }
}

/// Whoever settles one transfer each two days in the operator's place must not lock the others out.
#[test]
fn who_settles_in_the_operators_place_keeps_nobody_from_it() {
    for fork in FORKS {
        let mut world = scene(fork);
        world.request_exit(2, 5);
        for round in 0..3 {
            world.wait(TWO_DAYS);
            settle_as(&mut world, 66, 2 * round);
            world.wait(12);
            settle_as(&mut world, 5, 2 * round + 1);
        }
        let exit = world.execute(vec![world.taking(1, 0)]);
        world
            .settle_as(user(7), &exit.call())
            .expect("anybody takes the item");
    }
}

/// Another operator that says nothing either changes nothing for the others.
#[test]
fn naming_an_operator_gives_it_no_time() {
    for fork in FORKS {
        let mut world = scene(fork);
        world.wait(TWO_DAYS);
        let name = nameOperatorCall { named: user(8) };
        world.call(GOVERNOR, &name).expect("it is the governor");
        settle_as(&mut world, 5, 0);
        settle_as(&mut world, 8, 1);
        let batch = world.execute(vec![world.withdrawing(1, 0, 1, 2)]);
        world
            .settle_as(user(5), &batch.call())
            .expect_err("the new one has settled")
            .error::<OnlyOperator>();
    }
}
