//! Who verifies and who settles, and how slowly that changes.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::sol;
use revm::primitives::hardfork::SpecId;
use shardfold_settlement::encoding::SETTLEMENT_BYTES;
use shardfold_settlement::interface::IRollup::{
    AlreadyProposed, NoVerifier, NotGovernor, NothingProposed, OnlyOperator, OtherCode,
    ProofRefused, TooEarly, TooLate, activatableAtCall, activateVerifierCall, cancelVerifierCall,
    escapeCall, freezeCall, isPaidCall, nameOperatorCall, proposeVerifierCall, proposedCodeCall,
    proposedVerifierCall, verifierCall,
};

use crate::common::chain::FORKS;
use crate::common::world::{GOVERNOR, OPERATOR, World, coin, user};
use crate::freeze::escape_of;
use crate::test_artefact;

const DAY: u64 = 24 * 3_600;

sol! {
    function verify(bytes proof) external view returns (bool);
}

/// A world with a vault of user 1, and another verifier.
fn scene(fork: SpecId) -> (World, Address) {
    let mut world = World::new(fork);
    world.deposit(1, 1_000, 0);
    world.settle(vec![world.taking(0, 0)]);
    let other = world.chain.deploy(&test_artefact!("NoReceiver"), &[]);
    (world, other)
}

#[test]
fn a_verifier_is_proposed_by_the_governor_and_active_thirty_days_later() {
    for fork in FORKS {
        let (mut world, other) = scene(fork);
        let first = world.ask(&verifierCall {});
        let propose = proposeVerifierCall { proposed: other };
        for who in [user(1), OPERATOR] {
            let failed = world
                .call(who, &propose)
                .expect_err("it is not the governor");
            assert_eq!(failed.error::<NotGovernor>().found, who);
        }
        let nobody = proposeVerifierCall { proposed: user(2) };
        world
            .call(GOVERNOR, &nobody)
            .expect_err("no code")
            .error::<NoVerifier>();
        world.call(GOVERNOR, &propose).expect("it is the governor");
        let again = world.call(GOVERNOR, &propose).expect_err("one at a time");
        assert_eq!(again.error::<AlreadyProposed>().found, other);
        world.wait(30 * DAY - 1);
        for who in [user(1), OPERATOR, GOVERNOR] {
            let early = world
                .call(who, &activateVerifierCall {})
                .expect_err("a second early");
            assert_eq!(
                early.error::<TooEarly>().expected,
                U256::from(world.chain.time + 1)
            );
        }
        assert_eq!(world.ask(&verifierCall {}), first);
        world.wait(1);
        world
            .call(user(1), &activateVerifierCall {})
            .expect("anybody may");
        assert_eq!(world.ask(&verifierCall {}), other);
        let none = world
            .call(user(1), &activateVerifierCall {})
            .expect_err("it is done");
        none.error::<NothingProposed>();
    }
}

/// "Old verifiers left active": exactly one is asked.
#[test]
fn a_proof_for_the_old_verifier_is_refused_after_the_change() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        let refusing = world.chain.deploy(&test_artefact!("RefusingVerifier"), &[]);
        world
            .call(GOVERNOR, &proposeVerifierCall { proposed: refusing })
            .expect("it may");
        world.wait(30 * DAY);
        let batch = world.execute(vec![world.withdrawing(1, 0, 10, 0)]);
        let mut before = world.clone();
        before.try_settle(&batch).expect("the old one takes it");
        world
            .call(user(3), &activateVerifierCall {})
            .expect("it is time");
        let failed = world.try_settle(&batch).expect_err("the new one does not");
        failed.error::<ProofRefused>();
    }
}

#[test]
fn a_proposal_that_is_cancelled_waits_anew() {
    for fork in FORKS {
        let (mut world, other) = scene(fork);
        let propose = proposeVerifierCall { proposed: other };
        world
            .call(GOVERNOR, &cancelVerifierCall {})
            .expect_err("none")
            .error::<NothingProposed>();
        world.call(GOVERNOR, &propose).expect("it is the governor");
        let failed = world
            .call(user(1), &cancelVerifierCall {})
            .expect_err("it is not");
        failed.error::<NotGovernor>();
        world.wait(29 * DAY);
        world
            .call(GOVERNOR, &cancelVerifierCall {})
            .expect("it is the governor");
        assert_eq!(world.ask(&proposedVerifierCall {}), Address::ZERO);
        assert_eq!(world.ask(&activatableAtCall {}), U256::ZERO);
        world.wait(2 * DAY);
        let none = world
            .call(user(1), &activateVerifierCall {})
            .expect_err("it is gone");
        none.error::<NothingProposed>();
        world.call(GOVERNOR, &propose).expect("it is the governor");
        world.wait(DAY);
        world
            .call(user(1), &activateVerifierCall {})
            .expect_err("early")
            .error::<TooEarly>();
    }
}

/// Nobody has to watch a proposal for ever.
#[test]
fn a_proposal_lapses_thirty_days_after_it_could_have_been_activated() {
    for fork in FORKS {
        let (mut world, other) = scene(fork);
        let propose = proposeVerifierCall { proposed: other };
        world.call(GOVERNOR, &propose).expect("it is the governor");
        world.wait(60 * DAY);
        let activate = |world: &mut World| world.call(user(1), &activateVerifierCall {});
        activate(&mut world.clone()).expect("the last second");
        world.wait(1);
        for more in [0, 1_000 * DAY] {
            world.wait(more);
            let late = activate(&mut world).expect_err("it has lapsed");
            let late = late.error::<TooLate>();
            let last = world.chain.time - 1 - more;
            assert_eq!(late.mostExpected, U256::from(last));
        }
        // It is cancelled as any other, and made anew.
        world
            .call(GOVERNOR, &cancelVerifierCall {})
            .expect("it is the governor");
        world.call(GOVERNOR, &propose).expect("it is the governor");
        activate(&mut world)
            .expect_err("30 days again")
            .error::<TooEarly>();
    }
}

/// Whoever holds its key could give such an account other code within a minute.
#[test]
fn an_account_that_has_lent_itself_code_is_no_verifier() {
    for fork in FORKS {
        let (mut world, other) = scene(fork);
        let verifier = world.ask(&verifierCall {});
        let account = user(200);
        world.chain.delegate(account, verifier);
        // It does what the verifier does.
        let proof = Bytes::from(vec![0; SETTLEMENT_BYTES]);
        let verifies = world.chain.ask(account, &verifyCall { proof });
        assert!(verifies);
        let propose = proposeVerifierCall { proposed: account };
        let failed = world
            .call(GOVERNOR, &propose)
            .expect_err("not its own code");
        assert_eq!(failed.error::<NoVerifier>().found, account);
        let propose = proposeVerifierCall { proposed: other };
        world.call(GOVERNOR, &propose).expect("it has its own");
    }
}

/// What everybody has looked at for 30 days is what becomes the verifier.
#[test]
fn a_proposal_whose_code_has_changed_is_not_activated() {
    for fork in FORKS {
        let (mut world, other) = scene(fork);
        let first = world.ask(&verifierCall {});
        let propose = proposeVerifierCall { proposed: other };
        world.call(GOVERNOR, &propose).expect("it is the governor");
        world.wait(30 * DAY);
        let mut changed = world.clone();
        changed
            .chain
            .replace_code(other, vec![0x60, 0, 0x60, 0, 0xf3]);
        let failed = changed
            .call(user(1), &activateVerifierCall {})
            .expect_err("other code");
        assert_eq!(
            failed.error::<OtherCode>().expected,
            world.ask(&proposedCodeCall {})
        );
        assert_eq!(changed.ask(&verifierCall {}), first);
        world
            .call(user(1), &activateVerifierCall {})
            .expect("the same code");
        assert_eq!(world.ask(&verifierCall {}), other);
    }
}

/// "21 d delay - 14 d queue = 7 d window" (ZKsync Lite): over all days on which the operator may stop,
/// an exit asked for on the first day after a proposal is paid, or the contract is frozen and the
/// vault escapes, before the other verifier can be active.
#[test]
fn who_leaves_on_the_day_of_a_proposal_is_out_before_it_is_active() {
    for last_day in (0..30).step_by(3) {
        let (mut world, other) = scene(SpecId::OSAKA);
        world
            .call(GOVERNOR, &proposeVerifierCall { proposed: other })
            .expect("it may");
        let active_at = world.chain.time + 30 * DAY;
        world.wait(DAY);
        let position = world.items.len();
        world.request_exit(1, 0);
        let before = world.chain.balance(user(1));
        for day in 1..30 {
            if world.call(user(9), &freezeCall {}).is_ok() {
                let call: escapeCall = escape_of(&world, 0, 1);
                world.call(user(9), &call).expect("it is the vault's");
                break;
            }
            // The operator settles daily, but takes the exit on its last day only.
            if day == last_day {
                let batch = world.settle(vec![world.taking(position, 0)]);
                let claim = world.claim(world.batches - 1, &batch, 0);
                world.call(user(9), &claim).expect("it is owed");
                break;
            }
            if day < last_day {
                world.settle(vec![world.withdrawing(1, 0, 1, day - 1)]);
            }
            world.wait(DAY);
        }
        assert!(world.chain.time < active_at);
        assert!(
            world.chain.balance(user(1)) >= before + coin(900),
            "{last_day}"
        );
    }
}

#[test]
fn the_governor_names_the_operator_and_can_do_nothing_else() {
    for fork in FORKS {
        let (mut world, _) = scene(fork);
        let name = nameOperatorCall { named: user(7) };
        world
            .call(OPERATOR, &name)
            .expect_err("it is not")
            .error::<NotGovernor>();
        let batch = world.execute(vec![world.withdrawing(1, 0, 10, 0)]);
        let failed = world
            .settle_as(GOVERNOR, &batch.call())
            .expect_err("it is not the operator");
        failed.error::<OnlyOperator>();
        world.call(GOVERNOR, &name).expect("it is the governor");
        world
            .settle_as(OPERATOR, &batch.call())
            .expect_err("no more")
            .error::<OnlyOperator>();
        world
            .settle_as(user(7), &batch.call())
            .expect("it is the operator");
        assert!(!world.ask(&isPaidCall { number: U256::ZERO }));
    }
}
