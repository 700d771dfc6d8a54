//! Poseidon2 counts modulo p, so x + p hashes as x: no function takes such a number for an element.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolInterface};
use shardfold_protocol::field::MODULUS;
use shardfold_settlement::artefact::{Artefact, HASHES};
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IHashes;
use shardfold_settlement::interface::IRollup::{
    AmountTooLarge, FeeTooLarge, NotCanonical, NotWaiting, depositCall, registerAssetCall,
    showLinkCall,
};

use crate::common::chain::{Chain, DEPLOYER, FORKS, Failed};
use crate::common::world::{Item, PRICE, World, key, owner, user};
use crate::freeze::freeze;
use crate::reclaim::{chain_word, digests, reclaim_of};

/// An encoded call with p added to the number in eight bytes: lane 3 is the lowest of a word.
fn above(call: &[u8], word: usize, lane: usize) -> Vec<u8> {
    let mut call = call.to_vec();
    let place = 4 + 32 * word + 8 * lane;
    let bytes: &mut [u8; 8] = (&mut call[place..place + 8])
        .try_into()
        .expect("eight bytes");
    let number = u64::from_be_bytes(*bytes);
    // Small enough that 64 bits have room for it.
    *bytes = number
        .checked_add(MODULUS)
        .expect("a small one")
        .to_be_bytes();
    call
}

/// A call and where its elements are, as word and lane.
type Aliased = (Vec<u8>, Vec<(usize, usize)>);

/// The lowest lanes of words that are one element, and all lanes of words that are four.
fn lanes(single: &[usize], whole: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
    let single = single.iter().map(|&word| (word, 3));
    let whole = whole
        .into_iter()
        .flat_map(|word| (0..4).map(move |lane| (word, lane)));
    single.chain(whole).collect()
}

/// Every function of the contract that hashes, with small numbers.
fn calls() -> Vec<Aliased> {
    let three = U256::from(3);
    let zeros = |count| Bytes::from(vec![0; count]);
    let owner = IHashes::ownerCall {
        chainId: three,
        key: [1, 2, 3, 4, 5],
        exitAddress: Address::ZERO,
    };
    let deposit = IHashes::depositItemCall {
        chainId: 3,
        baseChain: 1,
        position: 4,
        asset: 0,
        amount: 1,
        fee: 1,
        ownerDigest: three,
    };
    let exit = IHashes::exitItemCall {
        chainId: 3,
        baseChain: 1,
        position: 4,
        index: 7,
        ownerDigest: three,
        to: user(1),
    };
    let chain = IHashes::chainCall {
        commitment: three,
        blocks: zeros(64),
    };
    let withdrawals = IHashes::withdrawalsCall {
        chainId: 3,
        commitment: three,
        entries: zeros(48),
    };
    let root = IHashes::stateRootCall {
        index: 7,
        record: [three; 2],
        siblings: [three; 32],
    };
    let compress = IHashes::compressCall {
        left: three,
        right: three,
    };
    // An entry is a word and a half; before bytes come their place and their length.
    let entry = [lanes(&[0], [1, 4]), vec![(5, 0), (5, 1)]].concat();
    vec![
        (owner.abi_encode(), lanes(&[0, 1, 2, 3, 4, 5], [])),
        (deposit.abi_encode(), lanes(&[0, 1, 2, 3, 4, 5], [6])),
        (exit.abi_encode(), lanes(&[0, 1, 2, 3], [4])),
        (chain.abi_encode(), lanes(&[], [0, 3, 4])),
        (withdrawals.abi_encode(), entry),
        (root.abi_encode(), lanes(&[], 1..35)),
        (compress.abi_encode(), lanes(&[], [0, 1])),
    ]
}

#[test]
fn no_function_that_hashes_takes_an_element_of_p_or_more() {
    let artefact = Artefact::parse(HASHES).expect("it is an artefact");
    for fork in FORKS {
        let mut chain = Chain::new(fork);
        let hashes = chain.deploy(&artefact, &[]);
        let calls = calls();
        // None is forgotten, but for the constant.
        assert_eq!(calls.len(), IHashes::IHashesCalls::COUNT);
        for (call, places) in calls {
            let mut send = |data| chain.send_data(DEPLOYER, hashes, data);
            send(call.clone()).expect("all of it is below p");
            for (word, lane) in places {
                let failed = send(above(&call, word, lane)).expect_err("it counts as another");
                failed.error::<IHashes::NotCanonical>();
            }
        }
    }
}

/// A deposit of two wei, in a contract that holds a hundred coins of others, is paid back as two wei.
#[test]
fn a_deposit_is_not_paid_back_as_more_by_numbers_above_p() {
    for fork in FORKS {
        let mut world = World::new(fork);
        world.deposit(1, 100_000_000_000, 0);
        world.settle(vec![world.taking(0, 0)]);
        let register = registerAssetCall {
            token: Address::ZERO,
            digits: 0,
        };
        let asset = world.call(user(9), &register).expect("anybody may");
        let (amount, fee) = (1, 1);
        let deposit = depositCall {
            asset,
            amount,
            fee,
            owner: word(&owner(9)),
        };
        let wei = U256::from(2 + PRICE);
        let sent = world.chain.send(user(9), world.rollup, wei, &deposit);
        sent.expect("it is a deposit of two wei");
        world.items.push(Item::Deposit {
            asset,
            amount,
            fee,
            owner: owner(9),
        });
        world.request_exit(9, 5);
        freeze(&mut world);
        let good = reclaim_of(&world, 1, 9, 3).abi_encode();
        let rollup = world.rollup;
        let mut refused = |word, lane| -> Failed {
            let call = above(&good, word, lane);
            let sent = world.chain.send_data(user(9), rollup, call);
            sent.expect_err("it is another number")
        };
        refused(0, 3).error::<NotWaiting>();
        // An asset has 32 bits: the call cannot even be read.
        assert_eq!(refused(1, 3), Failed::Reverted(Bytes::new()));
        let amount = refused(2, 3).error::<AmountTooLarge>();
        assert_eq!(amount.found, U256::from(MODULUS) + U256::from(2));
        let fee = refused(3, 3).error::<FeeTooLarge>();
        assert_eq!(fee.found, U256::from(MODULUS) + U256::from(1));
        // The key; its elements may be so large that nothing fits above them.
        for place in 0..5 {
            if key(9)[place].checked_add(MODULUS).is_some() {
                refused(7 + place, 3).error::<NotCanonical>();
            }
        }
        let before = world.chain.balance(user(9));
        let sent = world.chain.send_data(user(9), rollup, good);
        sent.expect("it waits");
        assert_eq!(world.chain.balance(user(9)), before + U256::from(2));
    }
}

#[test]
fn a_chain_with_an_element_of_p_or_more_is_no_link() {
    for fork in FORKS {
        let mut world = World::new(fork);
        world.deposit(1, 5, 0);
        world.deposit(1, 5, 0);
        freeze(&mut world);
        // The chain before the first item is four zeros, and four p are that too.
        let p = U256::from_limbs([MODULUS; 4]);
        let link = |commitment| showLinkCall {
            count: U256::ZERO,
            commitment,
            items: digests(&world, 0..2),
            place: U256::from(4_000),
        };
        let (link, other) = (link(chain_word(&world, 0)), link(p));
        let failed = world.call(user(1), &other).expect_err("it counts as zeros");
        assert_eq!(failed.error::<NotCanonical>().found, p);
        world.call(user(1), &link).expect("it leads to the end");
        let mut reclaim = reclaim_of(&world, 0, 1, 2);
        reclaim.waiting.commitment = p;
        let failed = world
            .call(user(1), &reclaim)
            .expect_err("it counts as zeros");
        assert_eq!(failed.error::<NotCanonical>().found, p);
    }
}
