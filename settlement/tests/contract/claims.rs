//! Withdrawals are paid: all, once, to the address in them, whatever else happens.

use alloy_primitives::{Address, B256, Bytes, U256};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::interface::IRollup::{
    AlreadyPaid, EntriesLength, NoAddress, NotOwed, OtherChain, PaymentFailed, claimCall,
    freezeCall, proposeVerifierCall, verifierCall,
};

use crate::common::batch::Settlement;
use crate::common::chain::FORKS;
use crate::common::world::{COIN, FREE, GOVERNOR, World, account, coin, signed, user};
use crate::test_artefact;

/// A ledger with a vault of 10,000 at index 0, of user 1.
fn funded(fork: SpecId) -> World {
    let mut world = World::new(fork);
    world.deposit(1, 10_000, 0);
    world.settle(vec![world.taking(0, 0)]);
    world
}

/// A withdrawal of user 1 with any words in place of base chain and address.
fn odd_withdrawal(nonce: u64, amount: u64, place: [u64; 4]) -> Transaction {
    let body = Withdraw {
        from: 0,
        asset: COIN.into(),
        amount,
        fee: FREE,
        nonce,
        base_chain: 1,
        address: account(1).exit_address,
    };
    /// A body with other words.
    struct Odd(Withdraw, [u64; 4]);
    impl shardfold_contracts::Body for Odd {
        const KIND: shardfold_protocol::transaction::Kind = Withdraw::KIND;
        fn words(&self) -> Vec<F> {
            let mut words = self.0.words();
            words[6..10].copy_from_slice(&self.1.map(F::from_u64));
            words
        }
    }
    signed(&account(1), &Odd(body, place))
}

/// Two equal withdrawals of one batch have equal payloads, and both are owed (docs/statement.md).
#[test]
fn two_equal_withdrawals_are_both_paid() {
    for fork in FORKS {
        let mut world = funded(fork);
        let batch = world.settle(vec![
            world.withdrawing(1, 0, 70, 0),
            world.withdrawing(1, 0, 70, 1),
        ]);
        assert_eq!(batch.withdrawals[0], batch.withdrawals[1]);
        let before = world.chain.balance(user(1));
        for place in 0..2 {
            let claim = world.claim(1, &batch, place);
            world.call(user(4), &claim).expect("it is owed");
            let again = world.call(user(4), &claim).expect_err("it was paid");
            assert_eq!(again.error::<AlreadyPaid>().number, U256::from(place));
        }
        assert_eq!(world.chain.balance(user(1)), before + coin(140));
    }
}

/// A batch with so many withdrawals of a unit and more.
fn many(world: &mut World, count: u64) -> Settlement {
    let withdrawals = (0..count)
        .map(|i| world.withdrawing(1, 0, 1 + i, i))
        .collect();
    world.settle(withdrawals)
}

#[test]
fn every_claim_of_a_batch_is_paid_and_nothing_else() {
    for fork in FORKS {
        let mut world = funded(fork);
        let batch = many(&mut world, 11);
        for place in 0..11 {
            let good = world.claim(1, &batch, place);
            let longer = [&good.path[..], &[B256::ZERO]].concat();
            let mut wrong = vec![
                claimCall {
                    batch: U256::ZERO,
                    ..good.clone()
                },
                claimCall {
                    batch: U256::from(2),
                    ..good.clone()
                },
                claimCall {
                    number: good.number + 1,
                    ..good.clone()
                },
                claimCall {
                    path: good.path[1..].to_vec(),
                    ..good.clone()
                },
                claimCall {
                    path: longer,
                    ..good.clone()
                },
            ];
            for byte in 0..48 {
                let mut entry = good.entry.to_vec();
                entry[byte] ^= 1;
                wrong.push(claimCall {
                    entry: entry.into(),
                    ..good.clone()
                });
            }
            for call in &wrong {
                world
                    .call(user(1), call)
                    .expect_err("it is not owed")
                    .error::<NotOwed>();
            }
            world.call(user(4), &good).expect("it is owed");
        }
    }
}

#[test]
fn a_node_is_no_leaf() {
    for fork in FORKS {
        let mut world = funded(fork);
        let batch = many(&mut world, 4);
        let good = world.claim(1, &batch, 0);
        let entry = Bytes::from([&good.entry[..], &[0; 8]].concat());
        let call = claimCall { entry, ..good };
        let failed = world.call(user(1), &call).expect_err("it has 56 bytes");
        assert_eq!(failed.error::<EntriesLength>().found, U256::from(56));
    }
}

/// What the elements of a withdrawal are is its signer's choice, so a batch may hold any: it is
/// settled, and only the odd ones are not paid.
#[test]
fn a_withdrawal_to_no_address_blocks_nothing() {
    for fork in FORKS {
        let mut world = funded(fork);
        let odd = [
            [1, 1 << 56, 2, 3],
            [1, 2, 1 << 56, 3],
            [1, 2, 3, 1 << 48],
            [2, 2, 2, 3],
            [MODULUS - 1, 2, 2, 3],
        ];
        let withdrawals = (0..)
            .zip(odd)
            .map(|(i, place)| odd_withdrawal(i, 5 + i, place));
        let last = world.withdrawing(1, 0, 8, 5);
        let batch = world.settle(withdrawals.chain([last]).collect());
        for (i, [chain, a, b, c]) in odd.into_iter().enumerate() {
            let failed = world.call(user(1), &world.claim(1, &batch, i));
            let failed = failed.expect_err("nobody is there, or another chain owes it");
            if chain == 1 {
                let NoAddress { a: x, b: y, c: z } = failed.error();
                assert_eq!([x, y, z], [a, b, c].map(U256::from));
            } else {
                assert_eq!(failed.error::<OtherChain>().found, U256::from(chain));
            }
        }
        world
            .call(user(1), &world.claim(1, &batch, 5))
            .expect("this one is owed");
    }
}

#[test]
fn a_receiver_that_takes_no_coin_blocks_only_its_own_claims() {
    for fork in FORKS {
        let mut world = funded(fork);
        let receiver = world.chain.deploy(&test_artefact!("NoReceiver"), &[]);
        let address = ExitAddress(receiver.into_array());
        let [a, b, c] = address.elements().map(|e| e.as_canonical_u64());
        let batch = world.settle(vec![
            odd_withdrawal(0, 5, [1, a, b, c]),
            world.withdrawing(1, 0, 8, 1),
        ]);
        let refused = world.call(user(1), &world.claim(1, &batch, 0));
        let refused = refused.expect_err("it takes none").error::<PaymentFailed>();
        assert_eq!((refused.token, refused.to), (Address::ZERO, receiver));
        world
            .call(user(1), &world.claim(1, &batch, 1))
            .expect("it is owed");
    }
}

/// "No pause; claims work while frozen and during proposals".
#[test]
fn claims_are_paid_while_frozen_and_during_proposals() {
    for fork in FORKS {
        let mut world = funded(fork);
        let batch = many(&mut world, 2);
        let proposed = world.ask(&verifierCall {});
        world
            .call(GOVERNOR, &proposeVerifierCall { proposed })
            .expect("it is the governor");
        world
            .call(user(1), &world.claim(1, &batch, 0))
            .expect("it is owed");
        world.request_exit(1, 0);
        world.wait(14 * 24 * 3_600 + 1);
        world
            .call(user(3), &freezeCall {})
            .expect("an item waits for too long");
        world
            .call(user(1), &world.claim(1, &batch, 1))
            .expect("it is owed");
    }
}
