//! Payouts to everybody.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::FeePayment;
use shardfold_contracts::payout::{Entry, MAX_PAID, Pay, Payout, list_of};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;

use super::people::{COIN, People};
use crate::workload::{Builder, CHAIN_ID};

/// What each person gets.
const AMOUNT: u64 = 1_000;
/// How long an opening is valid, in seconds.
const VALID: u64 = 3_600;

/// Payouts by the first person who comes, one after the other: each goes to everybody else.
pub(super) struct Airdrop<'a> {
    people: &'a People,
    entries: Vec<Entry>,
    rests: Vec<Digest>,
    /// Entries that the payout of now has paid.
    paid: usize,
    /// Where that payout lies.
    at: Index,
}

impl<'a> Airdrop<'a> {
    /// Payouts lie from an index on at which nothing does.
    pub fn new(people: &'a People, at: Index) -> Self {
        let receivers = (1..people.count as usize).map(|step| people.at(step));
        let entry = |person| Entry {
            to: People::coins(person),
            amount: AMOUNT,
        };
        let entries: Vec<Entry> = receivers.map(entry).collect();
        Self {
            people,
            rests: list_of(F::from_u64(CHAIN_ID), &entries),
            paid: entries.len(),
            entries,
            at,
        }
    }

    /// Pays the next entries, or opens the next payout where none are left.
    ///
    /// # Panics
    /// Never: it is valid.
    pub fn next(&mut self, builder: &mut Builder) {
        if self.paid == self.entries.len() {
            return self.open(builder);
        }
        let end = self.entries.len().min(self.paid + MAX_PAID);
        let pay = Pay::new(self.at - 1, &self.entries[self.paid..end], self.rests[end]);
        builder
            .push_body(None, &pay)
            .expect("everybody has a vault that is far from full");
        self.paid = end;
    }

    fn open(&mut self, builder: &mut Builder) {
        let payer = self.people.at(0);
        let from = People::coins(payer);
        let body = Payout {
            from,
            index: self.at,
            asset: COIN,
            total: AMOUNT * self.entries.len() as u64,
            list: self.rests[0],
            valid_until: builder.time() + VALID,
            fee: FeePayment {
                amount: 5,
                vault: self.people.coin_fees(),
            },
            nonce: builder.nonce(from),
        };
        builder
            .push_body(Some(payer as usize), &body)
            .expect("the payer has enough");
        self.at += 1;
        self.paid = 0;
    }
}
