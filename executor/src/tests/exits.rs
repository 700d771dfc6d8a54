//! Forced exits: every item is consumed, and exactly the right ones are paid.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::FeePayment;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, hash};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::{RecordEntry, State, StateFile, VaultEntry};

use super::oracle::{self, PAIR};
use crate::outcome::Receipt;
use crate::workload::{ASSET, BALANCE, Builder, CHAIN_ID, Keys, genesis};

/// Places that the items name; some are named twice.
const PLACES: Index = 700;
const ITEMS: usize = 1_000;
const KEYS: usize = 3;

/// What lies at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A vault as full as can be.
    Full,
    /// A vault with a little.
    Small,
    /// A vault of nothing.
    Emptied,
    /// Nothing.
    Vacant,
    /// A vault of shares.
    Shares,
    /// A record that is no vault, with the elements of one.
    Pot,
}

fn kind(index: Index) -> Kind {
    match index % 11 {
        0..3 => Kind::Full,
        3..7 => Kind::Small,
        7 => Kind::Emptied,
        8 => Kind::Vacant,
        9 => Kind::Shares,
        _ => Kind::Pot,
    }
}

fn balance(index: Index) -> u64 {
    match kind(index) {
        Kind::Full => AMOUNT_LIMIT - 1,
        Kind::Small => u64::from(index) + 1,
        Kind::Emptied | Kind::Vacant => 0,
        Kind::Shares | Kind::Pot => 50,
    }
}

fn state(keys: &Keys) -> State {
    let (mut vaults, mut records) = (vec![], vec![]);
    for index in 0..PLACES {
        let owner = keys.owner(index as usize);
        let vault = VaultEntry {
            index,
            owner,
            asset: ASSET,
            balance: balance(index),
            nonce: 0,
        };
        let with = |element: usize, value: u64| {
            let mut record = vault.record();
            record.0[element] = F::from_u64(value);
            RecordEntry { index, record }
        };
        match kind(index) {
            Kind::Vacant => {}
            Kind::Shares => {
                let asset = 1 << 32;
                vaults.push(VaultEntry { asset, ..vault });
            }
            Kind::Pot => records.push(with(0, 9)),
            Kind::Full | Kind::Small | Kind::Emptied => vaults.push(vault),
        }
    }
    let file = StateFile {
        chain_id: CHAIN_ID,
        head: None,
        vaults,
        records,
    };
    State::try_from(&file).expect("vaults and records are well formed")
}

/// What a withdrawal of so much has as its digest.
fn owed(keys: &Keys, asking: usize, amount: u64) -> Digest {
    let [a, b, c] = keys.get(asking).exit_address.elements();
    let numbers = [CHAIN_ID, 1].map(F::from_u64);
    let rest = [a, b, c, F::from_u64(ASSET), F::from_u64(amount)];
    hash(Domain::WithdrawPayload, &[&numbers[..], &rest].concat())
}

/// What all vaults of the base chain's asset hold.
fn held<'a>(records: impl Iterator<Item = &'a Record>) -> u128 {
    let vaults = records.filter_map(Record::vault);
    vaults.map(|vault| u128::from(vault.balance)).sum()
}

#[test]
fn a_thousand_exits_are_consumed_and_the_right_ones_paid() {
    let keys = Keys::new(11, KEYS);
    let state = state(&keys);
    let mut builder = Builder::new(&keys, &state);
    // What each item is to be paid.
    let mut expected = vec![];
    let mut left: Vec<u64> = (0..PLACES).map(balance).collect();
    for item in 0..ITEMS {
        let index = item as Index % PLACES;
        let place = index as usize;
        // Every fourth item asks for somebody else's, all others for their own.
        let asking = if item % 4 == 3 { place + 1 } else { place };
        let is_paid = matches!(kind(index), Kind::Full | Kind::Small) && item % 4 != 3;
        let amount = if is_paid { left[place] } else { 0 };
        left[place] -= amount;
        expected.push((asking, amount));
        builder.push(builder.exit(index, asking));
    }
    let batch = builder.sign();
    let outcome = oracle::execute(&state, &batch);
    let mut receipts = outcome.receipts.iter();
    assert!(receipts.all(|receipt| !matches!(receipt, Receipt::Rejected(_))));
    assert_eq!(outcome.accepted.len(), ITEMS);

    let (mut sum, mut count) = (0, 0);
    for (accepted, (asking, amount)) in outcome.accepted.iter().zip(expected) {
        assert!(accepted.entries.queued.is_some());
        let withdrawn = (amount > 0).then(|| owed(&keys, asking, amount));
        assert_eq!(accepted.entries.withdrawn, withdrawn);
        sum += u128::from(amount);
        count += u64::from(amount > 0);
    }
    assert!((300..600).contains(&count), "{count} are paid");

    let mut after = state.clone();
    oracle::apply(&mut after, &batch, &outcome, &[Shape::TINY]);
    let (before, head) = (state.head(), after.head());
    assert_eq!(head.queue_count, before.queue_count + ITEMS as u64);
    assert_eq!(head.withdrawal_count, before.withdrawal_count + count);
    let records = |state: &State| (0..PLACES).map(|i| state.tree().get(i)).collect::<Vec<_>>();
    let (was, is) = (records(&state), records(&after));
    assert_eq!(held(was.iter()), held(is.iter()) + sum);
    for ((was, is), left) in was.iter().zip(&is).zip(left) {
        let mut expected = *was;
        if expected.vault().is_some() {
            expected.0[2] = F::from_u64(left);
        }
        assert_eq!(*is, expected);
    }
    let witnesses = oracle::cut(&state, &batch, &outcome, &[Shape::TINY, Shape::SMALL]);
    assert!(witnesses.len() > 1);
}

/// A transfer that pays a fee to vault 3, an exit of vault 3, and the transfer again.
fn earning_vault(asking: usize) -> (State, Batch, Keys) {
    let keys = Keys::new(9, 2);
    let state = genesis(&keys, 16);
    let mut builder = Builder::new(&keys, &state);
    let earn = FeePayment {
        amount: 10,
        vault: 3,
    };
    builder.push(builder.transfer(0, 1, 5, earn));
    builder.push(builder.exit(3, asking));
    builder.push(builder.transfer(0, 1, 5, earn));
    let batch = builder.sign();
    (state, batch, keys)
}

#[test]
fn an_exit_of_a_vault_that_is_owed_a_fee_is_in_a_later_shard() {
    // The fee is paid out with the rest, if the exit is paid. Vault 3 is that of key 1.
    for (asking, paid) in [(1, Some(BALANCE + 10)), (0, None)] {
        let (state, batch, keys) = earning_vault(asking);
        let outcome = oracle::execute(&state, &batch);
        assert_eq!(outcome.accepted.len(), 3);
        let withdrawn = paid.map(|amount| owed(&keys, asking, amount));
        assert_eq!(outcome.accepted[1].entries.withdrawn, withdrawn);
        let witnesses = oracle::cut(&state, &batch, &outcome, &[PAIR, Shape::TINY]);
        let sizes = witnesses.iter().map(|witness| witness.transactions.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [1, 2]);
    }
}
