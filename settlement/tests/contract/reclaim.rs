//! Deposits that no batch took, of a frozen contract.

use alloy_primitives::{Bytes, U256};
use p3_field::PrimeCharacteristicRing as _;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::{Digest, Domain, ZERO_DIGEST, hash};
use shardfold_protocol::head::extend_chain;
use shardfold_settlement::data::DataMode;
use shardfold_settlement::encoding::word;
use shardfold_settlement::interface::IRollup::{
    AlreadyOut, AmountTooLarge, FeeTooLarge, NotWaiting, UnknownLink, Waiting, reclaimCall,
    showLinkCall,
};

use crate::common::chain::{EVM_CHAIN_ID, FORKS};
use crate::common::world::{Item, LEDGER, World, coin, key, user};
use crate::freeze::{freeze, scene};

/// The digest of an item, by the protocol's hash.
pub fn item_digest(item: &Item, position: u64) -> Digest {
    let start = [LEDGER, EVM_CHAIN_ID, position].map(F::from_u64);
    match *item {
        Item::Deposit {
            asset,
            amount,
            fee,
            owner,
        } => {
            let numbers = [asset.into(), amount, fee].map(F::from_u64);
            hash(
                Domain::DepositPayload,
                &[&start[..], &numbers, &owner].concat(),
            )
        }
        Item::Exit {
            index,
            owner,
            address,
        } => {
            let index = [F::from_u32(index)];
            let address = address.elements();
            hash(
                Domain::ExitItem,
                &[&start[..], &index, &owner, &address].concat(),
            )
        }
    }
}

/// The chain before each item that waits.
fn chain_before(world: &World, position: usize) -> Digest {
    let items = world.items.iter().zip(0..).take(position);
    items.fold(ZERO_DIGEST, |chain, (item, i)| {
        extend_chain(&chain, &item_digest(item, i))
    })
}

/// The same as a word.
pub fn chain_word(world: &World, position: usize) -> U256 {
    word(&chain_before(world, position))
}

/// The digests of items, as bytes.
pub fn digests(world: &World, positions: core::ops::Range<usize>) -> Bytes {
    let digest = |i: usize| word(&item_digest(&world.items[i], i as u64)).to_be_bytes::<32>();
    positions.flat_map(digest).collect::<Vec<_>>().into()
}

/// What reclaims a deposit, by items up to an end.
pub fn reclaim_of(world: &World, position: usize, i: u8, end: usize) -> reclaimCall {
    let Item::Deposit {
        asset, amount, fee, ..
    } = world.items[position]
    else {
        panic!("item {position} is no deposit")
    };
    reclaimCall {
        waiting: Waiting {
            position: position as u64,
            asset,
            amount,
            fee,
            commitment: chain_word(world, position),
        },
        items: digests(world, position + 1..end),
        place: U256::from(4_000),
        key: key(i),
        to: user(i),
    }
}

#[test]
fn a_deposit_that_nobody_took_is_paid_back() {
    for fork in FORKS {
        let (mut world, _) = scene(fork, DataMode::Calldata);
        for i in 1..4 {
            world.deposit(i, 500, 20 + u64::from(i));
            world.request_exit(i, 7);
        }
        freeze(&mut world);
        let end = world.items.len();
        for i in 1..4_u8 {
            let position = 2 + 2 * usize::from(i);
            let good = reclaim_of(&world, position, i, end);
            let mut refused = |change: &dyn Fn(&mut reclaimCall)| {
                let mut call = good.clone();
                change(&mut call);
                world
                    .call(user(i), &call)
                    .expect_err("it is not the deposit")
            };
            refused(&|call| call.waiting.amount += 1).error::<UnknownLink>();
            refused(&|call| call.waiting.fee += 1).error::<UnknownLink>();
            // The same elements, but not below p: as if it had been more.
            refused(&|call| call.waiting.amount += MODULUS).error::<AmountTooLarge>();
            refused(&|call| call.waiting.fee += MODULUS).error::<FeeTooLarge>();
            refused(&|call| call.waiting.asset += 1).error::<UnknownLink>();
            refused(&|call| call.waiting.position += 1);
            refused(&|call| call.waiting.commitment += U256::from(1)).error::<UnknownLink>();
            refused(&|call| call.key = key(9)).error::<UnknownLink>();
            refused(&|call| call.to = user(9)).error::<UnknownLink>();
            refused(&|call| call.items = call.items[32..].to_vec().into());
            let before = world.chain.balance(user(i));
            world.call(user(77), &good).expect("it waits");
            assert_eq!(
                world.chain.balance(user(i)),
                before + coin(520 + u64::from(i))
            );
            let again = world.call(user(77), &good).expect_err("it is paid back");
            assert_eq!(again.error::<AlreadyOut>().index, U256::from(position));
        }
        // Neither is there one that did not come yet.
        let mut next = reclaim_of(&world, 6, 2, end);
        next.waiting.position = end as u64;
        let failed = world.call(user(1), &next).expect_err("there is none");
        assert_eq!(failed.error::<NotWaiting>().count, U256::from(end));
        // A deposit that was taken is in a vault.
        let taken = reclaim_of(&world, 0, 1, end);
        let failed = world.call(user(1), &taken).expect_err("it was taken");
        assert_eq!(failed.error::<NotWaiting>().taken, U256::from(4));
    }
}

#[test]
fn a_deposit_in_a_long_queue_is_paid_back_by_links() {
    for fork in FORKS {
        let mut world = World::new(fork);
        for i in 0..60 {
            world.deposit(i, 500, 0);
        }
        freeze(&mut world);
        let link = |world: &World, start: usize, end: usize| showLinkCall {
            count: U256::from(start),
            commitment: chain_word(world, start),
            items: digests(world, start..end),
            place: U256::from(4_000),
        };
        // A link that leads nowhere is none.
        let nowhere = link(&world, 20, 40);
        world
            .call(user(1), &nowhere)
            .expect_err("40 is not known")
            .error::<UnknownLink>();
        let by_link = reclaim_of(&world, 3, 3, 20);
        world
            .call(user(1), &by_link)
            .expect_err("20 is not known")
            .error::<UnknownLink>();
        let last = link(&world, 40, 60);
        world.call(user(1), &last).expect("it leads to the end");
        world.call(user(1), &nowhere).expect("now 40 is known");
        world.call(user(1), &by_link).expect("and 20 is");
        // The first item made a checkpoint: of one item.
        let mut by_checkpoint = reclaim_of(&world, 0, 0, 1);
        by_checkpoint.place = U256::ZERO;
        world
            .call(user(1), &by_checkpoint)
            .expect("it ends at the checkpoint");
    }
}
