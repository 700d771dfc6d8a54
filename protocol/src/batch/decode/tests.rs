//! The fast decoder against the plain one.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;

use super::*;
use crate::curve::ORDER;
use crate::files::{self, HEADER_BYTES};
use crate::signature::Account;

/// Four of each kind.
static PAYLOAD: LazyLock<Vec<u8>> = LazyLock::new(|| payload(&batch(12)));

/// Bytes before the first transaction.
const START: usize = 8 + 192 + 8 + 8;

/// Elements of the bodies, in turn; those of the second kind are not signed.
const WORDS: [usize; 3] = [11, 0, 3];

fn batch(count: u32) -> Batch {
    let account = Account::from_index(1, 2);
    let signature = account.sign(F::TWO, &[F::ONE; 4]);
    let transactions = (0..count).map(|i| {
        let turn = i as usize % 3;
        let word = |word| F::from_u64(u64::from(i) << 40) - F::from_usize(word);
        Transaction {
            kind: Kind::new(["transfer", "a", "a_name_of_16_bts"][turn]),
            words: (0..WORDS[turn]).map(word).collect(),
            authorization: (turn != 1).then(|| account.authorization(signature)),
        }
    });
    Batch {
        chain_id: 8,
        before: Head::genesis([F::TWO; 4]),
        time: u64::MAX - 7,
        transactions: transactions.collect(),
    }
}

fn payload(batch: &Batch) -> Vec<u8> {
    files::to_binary(batch).unwrap().split_off(HEADER_BYTES)
}

/// What the plain decoder makes of a payload.
fn plain(mut payload: &[u8]) -> Option<Batch> {
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    let batch = options.deserialize_from(&mut payload).ok()?;
    payload.is_empty().then_some(batch)
}

/// Where the transaction at a position starts.
fn start_of(position: usize) -> usize {
    let length = |i| authorization_at(i % 3) + [AUTHORIZATION_BYTES, 0, AUTHORIZATION_BYTES][i % 3];
    START + (0..position).map(length).sum::<usize>()
}

/// Where the authorization of a transaction would be, from its start.
fn authorization_at(turn: usize) -> usize {
    NAME_BYTES + 8 + WORDS[turn] * WORD_BYTES + 1
}

#[test]
fn valid_batches_are_read() {
    // More than one task, and not a multiple of it.
    for count in [0, 1, 12, 1_000] {
        let batch = batch(count);
        assert_eq!(decode(&payload(&batch)), Some(batch));
    }
}

#[test]
fn every_truncation_is_left_to_the_plain_decoder() {
    for end in 0..PAYLOAD.len() {
        assert_eq!(decode(&PAYLOAD[..end]), None, "{end} bytes");
    }
    assert_eq!(decode(&[&PAYLOAD[..], &[0]].concat()), None);
}

#[test]
fn a_count_that_lies_is_left_to_the_plain_decoder() {
    for count in [0, 11, 13, u64::MAX] {
        let mut bytes = PAYLOAD.clone();
        bytes[START - 8..START].copy_from_slice(&count.to_le_bytes());
        assert_eq!(decode(&bytes), None, "{count}");
    }
}

#[test]
fn whatever_is_wrong_with_a_transaction_is_left_to_the_plain_decoder() {
    // In the last ones that are signed, where a point starts after the body.
    let transfer = start_of(9) + authorization_at(0);
    let withdraw = start_of(11) + authorization_at(2);
    let outside = Account::from_index(1, 3).public_key().0.to_words();
    for point in [transfer, transfer + 100, withdraw, withdraw + 100] {
        let cases: [(usize, &[u8]); 5] = [
            // An element that is not canonical: the same one plus p would not fit, so p itself.
            (point, &MODULUS.to_le_bytes()),
            (point + 72, &u64::MAX.to_le_bytes()),
            // x of another point; zero; w of another point.
            (point, &outside[0].to_le_bytes()),
            (point, &[0; 40]),
            (point + 40, &outside[5].to_le_bytes()),
        ];
        for (at, bytes) in cases {
            let mut spoiled = PAYLOAD.clone();
            spoiled[at..at + bytes.len()].copy_from_slice(bytes);
            assert_eq!(plain(&spoiled), None);
            assert_eq!(decode(&spoiled), None);
        }
    }
    let mut spoiled = PAYLOAD.clone();
    let order = ORDER.map(u64::to_le_bytes);
    spoiled[withdraw + 180..withdraw + 220].copy_from_slice(order.as_flattened());
    assert_eq!(plain(&spoiled), None);
    assert_eq!(decode(&spoiled), None);
}

/// On the curve is not enough: a point of even order has an x that is no square.
#[test]
fn a_point_beside_the_group_is_left_to_the_plain_decoder() {
    // -y/x of P + N, N = (0, 0), is that of P, and x is b / x.
    let point = Account::from_index(1, 2).public_key().0;
    let mut beside = point;
    beside.x = crate::curve::B * p3_field::Field::inverse(&point.x);
    beside.y = -point.encode() * beside.x;
    assert!(beside.is_on_curve() && !beside.is_in_group());
    let at = start_of(9) + authorization_at(0);
    let mut spoiled = PAYLOAD.clone();
    let words = beside.to_words().map(u64::to_le_bytes);
    spoiled[at..at + 80].copy_from_slice(words.as_flattened());
    assert_eq!(plain(&spoiled), None);
    assert_eq!(decode(&spoiled), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn changed_bytes_mean_the_same_to_both(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3)
    ) {
        let mut bytes = PAYLOAD.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        prop_assert_eq!(decode(&bytes), plain(&bytes));
    }
}
