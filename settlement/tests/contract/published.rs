//! What anybody makes of the contract's logs: the state, and a call that takes a vault out.

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::SolEvent as _;
use serde_json::json;
use shardfold_protocol::head::Head;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::state::State;
use shardfold_protocol::tree::StateTree;
use shardfold_settlement::data::{BLOB_BYTES, DataMode};
use shardfold_settlement::escape::{EscapeError, escape_call};
use shardfold_settlement::events::Log;
use shardfold_settlement::interface::IRollup::Settled;
use shardfold_settlement::published::{Data, PublishedError, rebuild, settled};

use crate::common::chain::{FORKS, forks_and_modes};
use crate::common::world::{LEDGER, World, coin, key, user};
use crate::freeze::{freeze, scene};

/// A ledger in which nothing has happened.
pub fn empty() -> State {
    let tree = StateTree::new();
    let genesis = Head::genesis(tree.root());
    State::from_parts(LEDGER, genesis, tree).expect("an empty ledger")
}

/// Rebuild from the logs, and escape every vault by the calls that the library makes.
#[test]
fn the_logs_are_enough_to_leave() {
    for (fork, mode) in forks_and_modes() {
        let (mut world, events) = scene(fork, mode);
        freeze(&mut world);
        let batches = settled(&logs(&world, &events), world.rollup).expect("they are all there");
        let mut state = empty();
        let blob = |hash: &B256| world.archive.get(hash).cloned();
        rebuild(&mut state, &batches, blob).expect("they lead to the last head");
        assert_eq!(state, world.state);
        for (index, i) in [(0, 1), (7, 2), (14, 3), (21, 4)] {
            let inclusion = Inclusion {
                chain_id: LEDGER,
                head: *state.head(),
                proof: state.tree().prove_record(index),
            };
            let balance = inclusion.proof.record.vault().expect("a vault").balance;
            let before = world.chain.balance(user(i));
            let call = escape_call(&inclusion, key(i), user(i)).expect("it is the owner's");
            world.call(user(77), &call).expect("it is the owner's");
            assert_eq!(world.chain.balance(user(i)), before + coin(balance));
        }
    }
}

/// The answer of a node that is asked for the contract's logs.
fn logs(world: &World, events: &[Settled]) -> Vec<Log> {
    let log = |(batch, event): (usize, &Settled)| {
        let data = event.encode_data();
        let topics = [Settled::SIGNATURE_HASH, B256::from(U256::from(batch))];
        let log = json!({ "address": world.rollup, "topics": topics, "data": Bytes::from(data) });
        serde_json::from_value(log).expect("it is a log")
    };
    events.iter().enumerate().map(log).collect()
}

/// What is not the whole story from the first batch on is refused, and nothing is guessed.
#[test]
fn logs_with_gaps_or_of_two_contracts_are_refused() {
    let (world, events) = scene(FORKS[0], DataMode::Calldata);
    let list = logs(&world, &events);
    let read = |list: Vec<Log>| settled(&list, world.rollup);
    assert_eq!(read(list.clone()).expect("all").len(), events.len());
    // The order of the list does not matter, its gaps do.
    let mut turned = list.clone();
    turned.reverse();
    assert_eq!(read(turned).expect("all").len(), events.len());
    let without = |left_out: usize| {
        let mut list = list.clone();
        list.remove(left_out);
        list
    };
    for left_out in 0..events.len() - 1 {
        let expected = left_out as u64;
        let error = read(without(left_out)).expect_err("a gap");
        let found = expected + 1;
        assert!(
            matches!(error, PublishedError::Order { found: f, expected: e } if (f, e) == (found, expected)),
            "{error}"
        );
    }
    let mut twice = list.clone();
    twice.push(list[1].clone());
    assert!(matches!(read(twice), Err(PublishedError::Order { .. })));
    // A block that the chain has left.
    let mut removed = list.clone();
    removed[1].removed = true;
    assert!(matches!(read(removed), Err(PublishedError::Order { .. })));
    let mut two = list.clone();
    two[1].address = user(3);
    assert!(matches!(read(two), Err(PublishedError::Order { .. })));
    let mut cut = list.clone();
    cut[0].data = Bytes::from_static(&[0x12, 0x34]);
    assert!(matches!(read(cut), Err(PublishedError::Event { .. })));

    // Altered data do not lead to the head, and leave the state where it was.
    let good = read(list).expect("all");
    let mut state = empty();
    let mut stops = |data: Bytes| {
        let mut batches = good.clone();
        batches[1].data = Data::Calldata(data);
        state = empty();
        let error = rebuild(&mut state, &batches, |_| None).expect_err("other data");
        assert_eq!(*state.head(), batches[0].head);
        error
    };
    let Data::Calldata(data) = &good[1].data else {
        panic!("{:?}", good[1].data)
    };
    let mut altered = data.to_vec();
    altered[31] ^= 1;
    let error = stops(altered.into());
    assert!(
        matches!(error, PublishedError::Data { batch: 1, .. }),
        "{error}"
    );
    let found = data.len() - 1;
    let error = stops(data.slice(1..));
    assert!(
        matches!(error, PublishedError::Length { batch: 1, found: f } if f == found),
        "{error}"
    );
}

/// Whoever keeps the blobs cannot lead anybody elsewhere by another one.
#[test]
fn a_blob_that_is_missing_or_another_is_found_out() {
    let (world, events) = scene(FORKS[0], DataMode::Blobs);
    let batches = settled(&logs(&world, &events), world.rollup).expect("they are all there");
    let Data::Blobs(hashes) = &batches[2].data else {
        panic!("{:?}", batches[2].data)
    };
    let asked = hashes[0];
    let with = |other: Option<Bytes>| {
        let mut state = empty();
        let blob = |hash: &B256| match *hash == asked {
            true => other.clone(),
            false => world.archive.get(hash).cloned(),
        };
        let error = rebuild(&mut state, &batches, blob).expect_err("another blob");
        assert_eq!(*state.head(), batches[1].head);
        error
    };
    let error = with(None);
    assert!(
        matches!(error, PublishedError::Missing { batch: 2, hash } if hash == asked),
        "{error}"
    );
    let good = &world.archive[&asked];
    let error = with(Some(good.slice(1..)));
    assert!(
        matches!(error, PublishedError::Blob { batch: 2, hash, found } if hash == asked && found == BLOB_BYTES - 1),
        "{error}"
    );
    // What no differences have, what are others, and none.
    let mut altered = good.to_vec();
    altered[BLOB_BYTES - 1] ^= 1;
    let another = events[1].blobs[0];
    let another = world.archive[&another].clone();
    for other in [altered.into(), another, vec![0; BLOB_BYTES].into()] {
        let error = with(Some(other));
        assert!(
            matches!(error, PublishedError::Data { batch: 2, .. }),
            "{error}"
        );
    }
}

/// What the contract would refuse is not even sent.
#[test]
fn an_escape_of_somebody_elses_vault_is_not_made() {
    let (world, _) = scene(FORKS[0], DataMode::Calldata);
    let inclusion = Inclusion {
        chain_id: LEDGER,
        head: *world.state.head(),
        proof: world.state.tree().prove_record(7),
    };
    assert!(escape_call(&inclusion, key(2), user(2)).is_ok());
    for (key, to) in [(key(1), user(2)), (key(2), user(1))] {
        let error = escape_call(&inclusion, key, to).expect_err("another owner");
        assert!(matches!(error, EscapeError::Owner { .. }), "{error}");
    }
    let mut beyond = key(2);
    beyond[0] = u64::MAX;
    let error = escape_call(&inclusion, beyond, user(2)).expect_err("no element");
    assert!(
        matches!(error, EscapeError::Key { position: 0, .. }),
        "{error}"
    );
    let mut other = inclusion.clone();
    other.proof.index = 6;
    let error = escape_call(&other, key(2), user(2)).expect_err("another place");
    assert!(matches!(error, EscapeError::Path { index: 6 }), "{error}");
    let nothing = Inclusion {
        proof: world.state.tree().prove_record(1),
        ..inclusion
    };
    let error = escape_call(&nothing, key(2), user(2)).expect_err("nothing lies there");
    assert!(
        matches!(error, EscapeError::NoVault { index: 1 }),
        "{error}"
    );
}
