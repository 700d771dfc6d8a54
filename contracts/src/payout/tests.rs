//! The rules of payouts on numbers.

use shardfold_protocol::record::{Index, Record};

use super::{CancelPayout, Entry, MAX_PAID, Pay, Payout, list_of};
use crate::testing::numbers::{CHAIN_ID, Numbers};
use crate::{Body, FeePayment};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};

const NOW: u64 = 1_000_000;
const ASSET: u64 = 5;
const PAYER: u64 = 1;
const PAYERS: Index = 1;
const OPERATORS: Index = 2;
const AT: Index = 50;
/// Receivers' vaults: 100, 101, ...
const FIRST: Index = 100;
const MOST: u64 = (1 << 62) - 1;

const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

fn ledger() -> Numbers {
    let mut ledger = Numbers::at(NOW);
    ledger.put(PAYERS, PAYER, ASSET, 1_000_000);
    ledger.put(OPERATORS, 9, ASSET, 0);
    for i in 0..30 {
        ledger.put(FIRST + i, u64::from(10 + i), ASSET, 7);
    }
    ledger
}

fn entries(count: u32) -> Vec<Entry> {
    let entry = |i| Entry {
        to: FIRST + i,
        amount: 100 + u64::from(i),
    };
    (0..count).map(entry).collect()
}

fn list(entries: &[Entry]) -> Vec<Digest> {
    list_of(F::from_u64(CHAIN_ID), entries)
}

fn total(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.amount).sum()
}

fn open(entries: &[Entry]) -> Payout {
    Payout {
        from: PAYERS,
        index: AT,
        asset: ASSET,
        total: total(entries),
        list: list(entries)[0],
        valid_until: NOW,
        fee: NO_FEE,
        nonce: 0,
    }
}

fn cancel(ledger: &Numbers) -> CancelPayout {
    CancelPayout {
        index: AT,
        to: PAYERS,
        valid_until: NOW,
        fee: NO_FEE,
        nonce: ledger.nonce(PAYERS),
    }
}

/// A payout of twenty entries that was opened.
fn opened() -> (Numbers, Vec<Entry>, Vec<Digest>) {
    let mut ledger = ledger();
    let entries = entries(20);
    ledger
        .run(Some(PAYER), &open(&entries))
        .expect("it is valid");
    let list = list(&entries);
    (ledger, entries, list)
}

fn remaining(ledger: &Numbers) -> u64 {
    ledger.get(AT).0[2].as_canonical_u64()
}

/// Everything that vaults and the payout hold.
fn all(ledger: &Numbers) -> u64 {
    let held = |record: &Record| record.0[2].as_canonical_u64();
    ledger.records.values().map(held).sum()
}

#[test]
fn a_list_is_paid_in_parts() {
    let (mut ledger, entries, list) = opened();
    let before = all(&ledger);
    for (start, end) in [(0, 1), (1, 3), (3, 3 + MAX_PAID), (3 + MAX_PAID, 20)] {
        let pay = Pay::new(AT, &entries[start..end], list[end]);
        ledger.run(None, &pay).expect("it is valid");
        for entry in &entries[start..end] {
            assert_eq!(ledger.balance(entry.to), 7 + entry.amount);
        }
        assert_eq!(remaining(&ledger), total(&entries[end..]));
        assert_eq!(all(&ledger), before);
    }
    assert_eq!(ledger.get(AT).0[4..], ZERO_DIGEST);
    // Nothing is left, for anybody.
    let again = Pay::new(AT, &entries[..1], ZERO_DIGEST);
    assert_eq!(ledger.refusal(None, &again), Some("remaining"));
    let back = cancel(&ledger);
    ledger.run(Some(PAYER), &back).expect("it is valid");
    assert_eq!(all(&ledger), before);
}

#[test]
fn what_is_given_up_goes_back_and_pays_nobody() {
    let (mut ledger, entries, list) = opened();
    let pay = Pay::new(AT, &entries[..5], list[5]);
    ledger.run(None, &pay).expect("it is valid");
    let before = ledger.balance(PAYERS);
    let fee = FeePayment {
        amount: 3,
        vault: OPERATORS,
    };
    let back = CancelPayout {
        fee,
        ..cancel(&ledger)
    };
    ledger.run(Some(PAYER), &back).expect("it is valid");
    assert_eq!(ledger.balance(PAYERS), before + total(&entries[5..]) - 3);
    assert_eq!(ledger.balance(OPERATORS), 3);
    let late = Pay::new(AT, &entries[5..6], list[6]);
    assert_eq!(ledger.refusal(None, &late), Some("remaining"));
    // Not even for an amount of nothing: the list is gone.
    let nothing = Entry {
        to: FIRST,
        amount: 0,
    };
    let empty = Pay::new(AT, &[nothing], ZERO_DIGEST);
    assert_eq!(ledger.refusal(None, &empty), Some("list"));
    // The record stays, so the same signature opens nothing again.
    assert_eq!(
        ledger.refusal(Some(PAYER), &open(&entries)),
        Some("index-used")
    );
}

#[test]
fn only_the_next_entries_of_the_list_are_paid() {
    let (mut ledger, entries, list) = opened();
    let mut refused = |pay: Pay| ledger.refusal(None, &pay);
    let next = |count: usize| Pay::new(AT, &entries[..count], list[count]);
    // Others of the same list, another order, another rest, another amount, another vault.
    let skipped = Pay::new(AT, &entries[1..2], list[2]);
    assert_eq!(refused(skipped), Some("list"));
    let turned = Pay::new(AT, &[entries[1], entries[0]], list[2]);
    assert_eq!(refused(turned), Some("list"));
    let jumped = Pay::new(AT, &entries[..1], list[2]);
    assert_eq!(refused(jumped), Some("list"));
    let (mut more, mut other) = (next(2), next(2));
    more.entries[1].amount += 1;
    more.total += 1;
    assert_eq!(refused(more), Some("list"));
    other.entries[0].to = FIRST + 25;
    assert_eq!(refused(other), Some("list"));
    // Another total than the entries'.
    let (mut more, mut less) = (next(3), next(3));
    more.total += 1;
    less.total -= 1;
    assert_eq!(refused(more), Some("total"));
    assert_eq!(refused(less), Some("total"));
    // More than a transaction holds, and none.
    assert_eq!(refused(next(MAX_PAID + 1)), Some("body"));
    assert_eq!(refused(Pay::new(AT, &[], list[0])), Some("body"));
    // Something else than a payout.
    let elsewhere = |index| Pay { index, ..next(1) };
    assert_eq!(refused(elsewhere(PAYERS)), Some("payout"));
    assert_eq!(refused(elsewhere(AT + 1)), Some("payout"));
    assert_eq!(refused(next(MAX_PAID)), None);
}

#[test]
fn an_entry_that_cannot_be_paid_stops_the_list() {
    let to = |to| {
        let mut ledger = ledger();
        ledger.put(60, 2, ASSET + 1, 0);
        ledger.put(61, 2, ASSET, MOST - 99);
        let entries = [Entry { to, amount: 100 }];
        let opened = ledger.run(Some(PAYER), &open(&entries));
        opened.expect("it is valid");
        ledger.refusal(None, &Pay::new(AT, &entries, ZERO_DIGEST))
    };
    assert_eq!(to(FIRST), None);
    assert_eq!(to(99), Some("receiver-kind"));
    assert_eq!(to(AT), Some("twice"));
    assert_eq!(to(60), Some("receiver-asset"));
    assert_eq!(to(61), Some("receiver-balance"));
    // Twice in one transaction: the operator cuts between them.
    let mut ledger = ledger();
    let twice = [entries(1)[0], entries(1)[0]];
    ledger.run(Some(PAYER), &open(&twice)).expect("it is valid");
    let list = list(&twice);
    let at_once = Pay::new(AT, &twice, ZERO_DIGEST);
    assert_eq!(ledger.refusal(None, &at_once), Some("twice"));
    for rest in [list[1], ZERO_DIGEST] {
        let one = Pay::new(AT, &twice[..1], rest);
        ledger.run(None, &one).expect("it is valid");
    }
    assert_eq!(ledger.balance(FIRST), 7 + 200);
}

#[test]
fn openings() {
    let body = || open(&entries(3));
    let refused = |body: Payout| ledger().refusal(Some(PAYER), &body);
    assert_eq!(refused(body()), None);
    let used = Payout {
        index: FIRST,
        ..body()
    };
    assert_eq!(refused(used), Some("index-used"));
    let onto_itself = Payout {
        index: PAYERS,
        ..body()
    };
    assert_eq!(refused(onto_itself), Some("index-used"));
    let of = |total| Payout { total, ..body() };
    assert_eq!(refused(of(1_000_000)), None);
    assert_eq!(refused(of(1_000_001)), Some("balance"));
    assert_eq!(refused(of(MOST)), Some("balance"));
    assert_eq!(refused(of(MOST + 1)), Some("amount"));
    let late = Payout {
        valid_until: NOW - 1,
        ..body()
    };
    assert_eq!(refused(late), Some("expired"));
    let other = Payout {
        asset: ASSET + 1,
        ..body()
    };
    assert_eq!(refused(other), Some("sender-asset"));
    assert_eq!(refused(Payout { nonce: 1, ..body() }), Some("nonce"));
    assert_eq!(ledger().refusal(Some(2), &body()), Some("owner"));
    assert_eq!(ledger().refusal(None, &body()), Some("owner"));
}

#[test]
fn only_the_payer_gives_up() {
    let (mut ledger, ..) = opened();
    let body = cancel(&ledger);
    assert_eq!(ledger.refusal(Some(10), &body), Some("owner"));
    let to_another = CancelPayout { to: FIRST, ..body };
    assert_eq!(ledger.refusal(Some(10), &to_another), Some("refund"));
    let no_payout = CancelPayout { index: 99, ..body };
    assert_eq!(ledger.refusal(Some(PAYER), &no_payout), Some("payout"));
    let late = CancelPayout {
        valid_until: NOW - 1,
        ..body
    };
    assert_eq!(ledger.refusal(Some(PAYER), &late), Some("expired"));
    let fee = FeePayment {
        amount: 1 << 40,
        vault: OPERATORS,
    };
    let dear = CancelPayout { fee, ..body };
    assert_eq!(ledger.refusal(Some(PAYER), &dear), Some("balance"));
    assert_eq!(ledger.refusal(Some(PAYER), &body), None);
    // A second time it would find nothing, and take nothing.
    let again = cancel(&ledger);
    let before = ledger.balance(PAYERS);
    ledger.run(Some(PAYER), &again).expect("it is valid");
    assert_eq!(ledger.balance(PAYERS), before);
}

#[test]
fn a_body_has_the_words_of_its_entries() {
    let pay = Pay::new(AT, &entries(3), ZERO_DIGEST);
    assert_eq!(pay.words().len(), 6 + 2 * 3);
}
