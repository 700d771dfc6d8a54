//! Tokens of all sorts, among them hostile ones.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, sol};
use shardfold_contracts::withdraw::Withdraw;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::artefact::Artefact;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{
    NoToken, PaymentFailed, TooLittlePaid, UnitTooLarge, Waiting, WrongReceipt, assetsCall,
    checkpointCall, claimCall, collectCall, depositCall, escapeCall, freezeCall, isPaidCall,
    payDueCall, reclaimCall, redeemCall, refundPayoutCall, registerAssetCall, repayCall,
    requestExitCall, settleCall,
};

use crate::common::chain::{EVM_CHAIN_ID, FORKS};
use crate::common::world::{FREE, PRICE, World, account, coin, owner, signed, user};
use crate::test_artefact;

sol! {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address account) external view returns (uint256);
    function setRefuses(bool does) external;
    function callDuringPayment(address target, bytes data) external;
    function shrink(address who, uint256 amount) external;
    function went() external view returns (bool);
    function answer() external view returns (bytes);
}

/// Deploys and registers a token, of which user 1 has a million parts that the contract may take.
pub fn token(world: &mut World, artefact: &Artefact, digits: u8) -> (Address, u32) {
    let token = world.chain.deploy(artefact, &[]);
    let (to, amount) = (user(1), U256::from(1_000_000));
    world
        .chain
        .call(user(1), token, &mintCall { to, amount })
        .expect("anybody mints");
    let approve = approveCall {
        spender: world.rollup,
        amount,
    };
    if artefact.contract != "SilentToken" {
        world
            .chain
            .call(user(1), token, &approve)
            .expect("it takes leave");
    }
    let asset = world.call(user(1), &registerAssetCall { token, digits });
    (token, asset.expect("it is a token"))
}

pub fn held(world: &World, token: Address, account: Address) -> u64 {
    world.chain.ask(token, &balanceOfCall { account }).to()
}

/// User 1 withdraws an asset.
fn withdrawing(from: u32, asset: u32, amount: u64, nonce: u64) -> Transaction {
    let body = Withdraw {
        from,
        asset: asset.into(),
        amount,
        fee: FREE,
        nonce,
        base_chain: EVM_CHAIN_ID as u32,
        address: account(1).exit_address,
    };
    signed(&account(1), &body)
}

#[test]
fn tokens_that_return_true_or_nothing_go_in_and_out() {
    for fork in FORKS {
        for artefact in [test_artefact!("Token"), test_artefact!("SilentToken")] {
            let mut world = World::new(fork);
            let (token, asset) = token(&mut world, &artefact, 2);
            // Units of a hundred parts.
            world.deposit_as(1, asset, 50, 5, owner(1));
            assert_eq!(held(&world, token, world.rollup), 5_500);
            world.settle(vec![world.taking(0, 0)]);
            let batch = world.settle(vec![withdrawing(0, asset, 21, 0)]);
            world
                .call(user(2), &world.claim(1, &batch, 0))
                .expect("it is owed");
            assert_eq!(held(&world, token, user(1)), 1_000_000 - 5_500 + 2_100);
            assert_eq!(held(&world, token, world.rollup), 3_400);
        }
    }
}

#[test]
fn a_token_that_keeps_a_part_cannot_be_deposited() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("FeeToken"), 0);
        let call = depositCall {
            asset,
            amount: 500,
            fee: 0,
            owner: word(&owner(1)),
        };
        let sent = world
            .chain
            .send(user(1), world.rollup, U256::from(PRICE), &call);
        let failed = sent.expect_err("it keeps 5").error::<WrongReceipt>();
        assert_eq!(
            (failed.found, failed.expected),
            (U256::from(495), U256::from(500))
        );
        assert_eq!(held(&world, token, user(1)), 1_000_000);
    }
}

#[test]
fn a_token_that_refuses_blocks_only_its_own_claims() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("RefusingToken"), 0);
        world.deposit_as(1, asset, 50, 0, owner(1));
        world.deposit(1, 60, 0);
        world.settle(vec![world.taking(0, 0), world.taking(1, 1)]);
        let batch = world.settle(vec![
            withdrawing(0, asset, 21, 0),
            world.withdrawing(1, 1, 22, 0),
        ]);
        let refuses = |does| setRefusesCall { does };
        world
            .chain
            .call(user(9), token, &refuses(true))
            .expect("anybody may");
        let claims: [claimCall; 2] = [0, 1].map(|place| world.claim(1, &batch, place));
        let failed = world.call(user(2), &claims[0]).expect_err("it says false");
        assert_eq!(failed.error::<PaymentFailed>().token, token);
        let before = world.chain.balance(user(1));
        world.call(user(2), &claims[1]).expect("the coin is paid");
        assert_eq!(world.chain.balance(user(1)), before + coin(22));
        // It is still owed.
        world
            .chain
            .call(user(9), token, &refuses(false))
            .expect("anybody may");
        world.call(user(2), &claims[0]).expect("now it is paid");
        assert_eq!(held(&world, token, user(1)), 1_000_000 - 50 + 21);
    }
}

#[test]
fn a_deposit_of_a_token_has_a_price_in_coin() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (_, asset) = token(&mut world, &test_artefact!("Token"), 0);
        let call = depositCall {
            asset,
            amount: 500,
            fee: 0,
            owner: word(&owner(1)),
        };
        let wei = U256::from(PRICE - 1);
        let sent = world.chain.send(user(1), world.rollup, wei, &call);
        let failed = sent.expect_err("a wei is missing").error::<TooLittlePaid>();
        assert_eq!((failed.found, failed.expected), (wei, U256::from(PRICE)));
    }
}

/// "Rebasing tokens": what is missing is missing to the last who claim, and to nobody else.
#[test]
fn a_token_whose_balances_shrink_hurts_its_own_holders_alone() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("ShrinkingToken"), 0);
        world.deposit_as(1, asset, 50, 0, owner(1));
        world.deposit(1, 60, 0);
        world.settle(vec![world.taking(0, 0), world.taking(1, 1)]);
        let batch = world.settle(vec![
            withdrawing(0, asset, 20, 0),
            withdrawing(0, asset, 30, 1),
            world.withdrawing(1, 1, 60, 0),
        ]);
        let shrink = shrinkCall {
            who: world.rollup,
            amount: U256::from(15),
        };
        world
            .chain
            .call(user(9), token, &shrink)
            .expect("anybody may");
        let claims: [claimCall; 3] = [0, 1, 2].map(|place| world.claim(1, &batch, place));
        world
            .call(user(2), &claims[0])
            .expect("there is enough for it");
        let failed = world.call(user(2), &claims[1]).expect_err("15 are there");
        assert_eq!(failed.error::<PaymentFailed>().amount, U256::from(30));
        world.call(user(2), &claims[2]).expect("the coin is there");
        // Whoever makes the loss good lets the rest be paid.
        let mint = mintCall {
            to: world.rollup,
            amount: U256::from(15),
        };
        world
            .chain
            .call(user(9), token, &mint)
            .expect("anybody may");
        world.call(user(2), &claims[1]).expect("now it is there");
        assert_eq!(held(&world, token, world.rollup), 0);
    }
}

/// A deposit within a deposit would be measured twice; a claim within a claim paid twice.
#[test]
fn nobody_calls_back() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("CallingToken"), 0);
        let call = depositCall {
            asset,
            amount: 50,
            fee: 0,
            owner: word(&owner(1)),
        };
        let call_back = |world: &mut World, data: Vec<u8>| {
            let (target, data) = (world.rollup, data.into());
            let call = callDuringPaymentCall { target, data };
            world
                .chain
                .call(user(9), token, &call)
                .expect("anybody may");
        };
        call_back(&mut world, call.abi_encode());
        world.deposit_as(1, asset, 50, 0, owner(1));
        let answered = |world: &World| {
            assert!(!world.chain.ask(token, &wentCall {}));
            let answer = world.chain.ask(token, &answerCall {});
            assert_eq!(answer[..4], alloy_primitives::keccak256("Reentered()")[..4]);
        };
        answered(&world);
        world.settle(vec![world.taking(0, 0)]);
        let withdrawals = (0..13).map(|nonce| withdrawing(0, asset, 2, nonce));
        let batch = world.settle(withdrawals.collect());
        let claims: Vec<_> = (0..13).map(|place| world.claim(1, &batch, place)).collect();
        for (place, data) in locked(&claims[12]).into_iter().enumerate() {
            call_back(&mut world, data);
            world.call(user(2), &claims[place]).expect("it is owed");
            answered(&world);
            let paid = 2 * (place as u64 + 1);
            assert_eq!(held(&world, token, user(1)), 1_000_000 - 50 + paid);
        }
        assert!(!world.ask(&isPaidCall {
            number: U256::from(12)
        }));
    }
}

/// Calls of all functions that pay, are paid, settle, or change what those read, besides a deposit.
pub fn locked(claim: &claimCall) -> [Vec<u8>; 12] {
    let (key, to, nothing, asset) = ([0; 5], user(1), Bytes::new(), U256::ZERO);
    let settle = settleCall {
        proof: nothing.clone(),
        withdrawals: nothing.clone(),
        data: nothing.clone(),
        openings: nothing.clone(),
        place: U256::ZERO,
    };
    let escape = escapeCall {
        head: nothing.clone(),
        index: 0,
        record: [U256::ZERO; 2],
        siblings: [U256::ZERO; 32],
        key,
        to,
    };
    let reclaim = reclaimCall {
        waiting: Waiting {
            position: 0,
            asset: 0,
            amount: 0,
            fee: 0,
            commitment: U256::ZERO,
        },
        items: nothing,
        place: U256::ZERO,
        key,
        to,
    };
    [
        claim.abi_encode(),
        settle.abi_encode(),
        requestExitCall { index: 0, key }.abi_encode(),
        collectCall {}.abi_encode(),
        escape.abi_encode(),
        reclaim.abi_encode(),
        payDueCall { asset, to }.abi_encode(),
        repayCall { index: 0, key, to }.abi_encode(),
        redeemCall { asset, to }.abi_encode(),
        refundPayoutCall { index: 0, key, to }.abi_encode(),
        checkpointCall {}.abi_encode(),
        freezeCall {}.abi_encode(),
    ]
}

#[test]
fn a_receiver_of_coin_does_not_call_back_either() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let receiver = world.chain.deploy(&test_artefact!("CallingToken"), &[]);
        world.deposit(1, 100, 0);
        world.settle(vec![world.taking(0, 0)]);
        let to = |nonce| {
            let body = Withdraw {
                from: 0,
                asset: 0,
                amount: 30,
                fee: FREE,
                nonce,
                base_chain: EVM_CHAIN_ID as u32,
                address: shardfold_protocol::address::Address(receiver.into_array()),
            };
            signed(&account(1), &body)
        };
        let batch = world.settle(vec![to(0), to(1)]);
        let claims: [claimCall; 2] = [0, 1].map(|place| world.claim(1, &batch, place));
        let (target, data) = (world.rollup, claims[1].abi_encode().into());
        let call = callDuringPaymentCall { target, data };
        world
            .chain
            .call(user(9), receiver, &call)
            .expect("anybody may");
        world.call(user(2), &claims[0]).expect("it is owed");
        assert!(!world.chain.ask(receiver, &wentCall {}));
        assert_eq!(world.chain.balance(receiver), coin(30));
        world.call(user(2), &claims[1]).expect("it is owed");
        assert_eq!(world.chain.balance(receiver), coin(60));
    }
}

#[test]
fn an_asset_has_code_and_a_unit_that_fits() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let none = registerAssetCall {
            token: user(3),
            digits: 0,
        };
        let failed = world.call(user(1), &none).expect_err("nobody is there");
        assert_eq!(failed.error::<NoToken>().found, user(3));
        let large = registerAssetCall {
            token: Address::ZERO,
            digits: 37,
        };
        let failed = world.call(user(1), &large).expect_err("it is too large");
        assert_eq!(failed.error::<UnitTooLarge>().found, U256::from(37));
        let coarse = registerAssetCall {
            token: Address::ZERO,
            digits: 36,
        };
        assert_eq!(world.call(user(1), &coarse), Ok(1));
        let asset = world.ask(&assetsCall {
            asset: U256::from(1),
        });
        assert_eq!(
            (asset.token, asset.digits, asset.isRegistered),
            (Address::ZERO, 36, true)
        );
    }
}
