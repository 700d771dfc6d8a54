//! Coin that is sent beyond an item's price goes back to its sender.

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, sol};
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{
    PaymentFailed, Reentered, depositCall, itemPriceCall, potCall, queueCall, registerAssetCall,
    requestExitCall,
};

use crate::common::chain::{FORKS, Failed};
use crate::common::world::{COIN, PRICE, World, coin, key, owner, user};
use crate::test_artefact;
use crate::tokens::{answerCall, callDuringPaymentCall, held, token, wentCall};

sol! {
    function forward(address target, bytes data) external payable returns (bytes memory);
}

/// A deposit of user 1, without a fee.
fn deposit_of(asset: u32, amount: u64) -> depositCall {
    depositCall {
        asset,
        amount,
        fee: 0,
        owner: word(&owner(1)),
    }
}

/// Sends coin with a call as user 1; returns how much of it was taken.
#[track_caller]
fn taken(world: &mut World, wei: U256, call: &impl SolCall) -> U256 {
    let before = world.chain.balance(user(1));
    let held = world.chain.balance(world.rollup);
    let sent = world.chain.send(user(1), world.rollup, wei, call);
    sent.expect("it is an item");
    let taken = before - world.chain.balance(user(1));
    assert_eq!(world.chain.balance(world.rollup), held + taken);
    taken
}

#[test]
fn what_is_sent_beyond_the_price_goes_back() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (token, asset) = token(&mut world, &test_artefact!("Token"), 0);
        let exit = requestExitCall {
            index: 3,
            key: key(1),
        };
        let price = U256::from(PRICE);
        for more in [U256::ZERO, U256::ONE, coin(77)] {
            let sent = coin(5) + price + more;
            let deposit = deposit_of(COIN, 5);
            assert_eq!(taken(&mut world, sent, &deposit), coin(5) + price);
            let deposit = deposit_of(asset, 50);
            assert_eq!(taken(&mut world, price + more, &deposit), price);
            assert_eq!(taken(&mut world, price + more, &exit), price);
        }
        assert_eq!(held(&world, token, world.rollup), 150);
        assert_eq!(world.ask(&potCall {}), U256::from(9 * PRICE));
        assert_eq!(world.ask(&itemPriceCall {}), price);
    }
}

/// The number of a token, or of a smaller unit of coin, makes no gift of the coin that was meant.
#[test]
fn coin_sent_with_the_number_of_another_asset_goes_back() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let (_, of_token) = token(&mut world, &test_artefact!("Token"), 0);
        let register = registerAssetCall {
            token: Address::ZERO,
            digits: 0,
        };
        let of_wei = world.call(user(1), &register).expect("anybody may");
        let (sent, price) = (coin(5) + U256::from(PRICE), U256::from(PRICE));
        let deposit = deposit_of(of_token, 5);
        assert_eq!(taken(&mut world, sent, &deposit), price);
        let deposit = deposit_of(of_wei, 5);
        assert_eq!(taken(&mut world, sent, &deposit), price + U256::from(5));
        assert_eq!(world.ask(&potCall {}), U256::from(2 * PRICE));
    }
}

/// Sends coin with a call by way of a contract.
fn forward(world: &mut World, by: Address, wei: U256, call: &impl SolCall) -> Result<(), Failed> {
    let call = forwardCall {
        target: world.rollup,
        data: call.abi_encode().into(),
    };
    world.chain.send(user(1), by, wei, &call).map(|_| ())
}

#[test]
fn a_sender_that_takes_no_coin_hurts_itself_alone() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let sender = world.chain.deploy(&test_artefact!("NoReceiver"), &[]);
        let exact = coin(5) + U256::from(PRICE);
        let deposit = deposit_of(COIN, 5);
        let refused = forward(&mut world, sender, exact + U256::ONE, &deposit);
        let refused = refused.expect_err("it takes no change");
        let expected = PaymentFailed {
            token: Address::ZERO,
            to: sender,
            amount: U256::ONE,
        };
        assert_eq!(refused.error::<PaymentFailed>(), expected);
        assert_eq!(world.ask(&potCall {}), U256::ZERO);
        assert_eq!(world.ask(&queueCall {}).count.to::<u64>(), 0);
        forward(&mut world, sender, exact, &deposit).expect("there is no change");
        world.deposit(2, 5, 0);
        assert_eq!(world.ask(&queueCall {}).count.to::<u64>(), 2);
    }
}

#[test]
fn a_sender_that_calls_back_gets_its_change_once() {
    for fork in FORKS {
        let mut world = World::new(fork);
        let sender = world.chain.deploy(&test_artefact!("CallingToken"), &[]);
        let deposit = deposit_of(COIN, 5);
        let exit = requestExitCall {
            index: 3,
            key: key(1),
        };
        let price = U256::from(PRICE);
        let mut attempt = |wei: U256, data: Vec<u8>, back: Vec<u8>| {
            let call = callDuringPaymentCall {
                target: world.rollup,
                data: back.into(),
            };
            world
                .chain
                .call(user(9), sender, &call)
                .expect("anybody may");
            let before = world.chain.balance(sender);
            let call = forwardCall {
                target: world.rollup,
                data: data.into(),
            };
            let sent = world.chain.send(user(1), sender, wei + coin(3), &call);
            sent.expect("it is an item");
            assert_eq!(world.chain.balance(sender), before + coin(3));
            assert!(!world.chain.ask(sender, &wentCall {}));
            let answer = world.chain.ask(sender, &answerCall {});
            assert_eq!(Failed::Reverted(answer).error::<Reentered>(), Reentered {});
        };
        let (deposit, exit) = (deposit.abi_encode(), exit.abi_encode());
        attempt(coin(5) + price, deposit.clone(), exit.clone());
        attempt(price, exit, deposit);
        assert_eq!(world.ask(&queueCall {}).count.to::<u64>(), 2);
        let held = coin(5) + U256::from(2 * PRICE);
        assert_eq!(world.chain.balance(world.rollup), held);
    }
}
