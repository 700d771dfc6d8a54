//! Money goes in, moves, and comes out: to the unit.

use alloy_primitives::U256;
use shardfold_contracts::FeePayment;
use shardfold_contracts::transfer::Transfer;
use shardfold_settlement::encoding::{head_digest, word};
use shardfold_settlement::interface::IRollup::{
    collectCall, earnedCall, headDigestCall, isPaidCall, queueCommitmentCall,
};

use crate::common::chain::forks_and_modes;
use crate::common::world::{COIN, OPERATOR, PRICE, World, account, coin, owner, signed, user};

#[test]
fn what_goes_in_comes_out() {
    for (fork, mode) in forks_and_modes() {
        let mut world = World::with_mode(fork, mode);
        let people = [user(1), user(2), user(3)];
        let mut before = people.map(|who| world.chain.balance(who));
        // 1 and 2 pay in; 1 pays 3 a part on the ledger, which withdraws half; 2 leaves by the queue.
        world.deposit(1, 1_000, 0);
        world.deposit(2, 500, 7);
        let taken = vec![world.taking(0, 0), world.taking(1, 1)];
        world.settle(taken);
        assert_eq!(
            world.ask(&headDigestCall {}),
            head_digest(world.state.head())
        );
        assert_eq!(
            world.ask(&queueCommitmentCall {}),
            word(&world.state.head().queue_commitment)
        );
        world.wait(60);
        let transfer = Transfer {
            from: 0,
            to: 2,
            to_owner: owner(3),
            asset: COIN.into(),
            amount: 300,
            fee: FeePayment {
                amount: 0,
                vault: 0,
            },
            nonce: 0,
        };
        let transfer = signed(&account(1), &transfer);
        world.request_exit(2, 1);
        let withdrawal = world.withdrawing(3, 2, 150, 0);
        let batch = world.settle(vec![transfer, withdrawal, world.taking(2, 0)]);
        assert_eq!(batch.withdrawals.len(), 2);
        for place in 0..2 {
            let number = U256::from(place);
            assert!(!world.ask(&isPaidCall { number }));
            let claim = world.claim(1, &batch, place);
            world.call(user(9), &claim).expect("it is owed");
            assert!(world.ask(&isPaidCall { number }));
        }
        // The fee of 7 went to vault 0.
        let moved = [-1_000, -507 + 500, 150].map(i64::from);
        let items = [1, 2, 0];
        for ((before, moved), items) in before.iter_mut().zip(moved).zip(items) {
            let gain = coin(moved.unsigned_abs());
            *before = if moved < 0 {
                *before - gain
            } else {
                *before + gain
            };
            *before -= U256::from(items * PRICE);
        }
        assert_eq!(people.map(|who| world.chain.balance(who)), before);
        // The contract has what the ledger's vaults hold, and what the items cost.
        let left = coin(1_507 - 650);
        let price = U256::from(3 * PRICE);
        assert_eq!(world.chain.balance(world.rollup), left + price);
        let settler = OPERATOR;
        assert_eq!(world.ask(&earnedCall { settler }), price);
        world.call(OPERATOR, &collectCall {}).expect("it is earned");
        assert_eq!(world.chain.balance(OPERATOR), price);
        assert_eq!(world.chain.balance(world.rollup), left);
    }
}
