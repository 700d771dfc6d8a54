//! Each reason of each contract is reached, and what is just within a bound is not refused for it.

mod liquidations;
mod markets;
mod positions;
mod suppliers;

use std::collections::BTreeSet;

use super::works::{lent, market};
use super::*;
use crate::Reason;
use crate::lending::reasons as common;
use crate::vaults::reasons as vaults;

/// The reasons that a contract was seen to reject for.
struct Cases {
    kind: &'static str,
    seen: BTreeSet<&'static str>,
}

impl Cases {
    fn of(kind: &'static str) -> Self {
        Self {
            kind,
            seen: BTreeSet::new(),
        }
    }

    fn rejects(&mut self, ledger: &Ledger, body: &impl Body, who: Who, reason: &'static Reason) {
        ledger.rejects(body, who, reason);
        self.seen.insert(reason.name());
    }

    /// These are all, but for those of a kind that no state leads to and that of a signature that does
    /// not hold, which is the machine's.
    fn are_all_but(self, unreachable: &[&str]) {
        let number = standard().list().position(|law| law.name() == self.kind);
        let steps = standard().steps().iter();
        let own = steps.filter(|step| Some(step.contract) == number);
        let names = own
            .flat_map(|step| &step.reasons)
            .map(|reason| reason.name());
        let mut expected: BTreeSet<_> = names.collect();
        for name in unreachable {
            assert!(expected.remove(name), "{name}");
        }
        expected.remove("signature");
        assert_eq!(self.seen, expected, "{}", self.kind);
    }

    /// What is refused of each signed body: `with` puts another signer into it.
    fn of_signer<B: Body>(
        &mut self,
        ledger: &Ledger,
        (who, vault): (Who, Index),
        with: impl Fn(Signer) -> B,
    ) {
        let good = ledger.signer(vault);
        assert!(ledger.run(&with(good), who).is_ok());
        let longest = Signer {
            valid_until: NOW + (1 << 32) - 1,
            ..good
        };
        assert!(ledger.run(&with(longest), who).is_ok());
        let fee = |amount| FeePayment { amount, ..good.fee };
        let other_asset = if vault == who.loan() {
            who.collateral()
        } else {
            who.loan()
        };
        let with_nonce = |nonce| Signer { nonce, ..good };
        let until = |valid_until| Signer {
            valid_until,
            ..good
        };
        let from = |vault| Signer { vault, ..good };
        let paying = |amount| Signer {
            fee: fee(amount),
            ..good
        };
        let cases = [
            (with_nonce(good.nonce + 1), &vaults::NONCE),
            (until(NOW - 1), &vaults::EXPIRED),
            (until(NOW + (1 << 32)), &vaults::EXPIRED),
            (from(other_asset), &vaults::SENDER_ASSET),
            (from(9_999), &vaults::SENDER_MISSING),
            (paying((1 << 46) - 1), &vaults::BALANCE),
            (paying(1 << 46), &crate::machine::reasons::FEE),
        ];
        for (signer, reason) in cases {
            self.rejects(ledger, &with(signer), who, reason);
        }
        let owner = &crate::machine::reasons::OWNER;
        self.rejects(ledger, &with(good), Feeder, owner);
    }

    /// What is refused of a vault that receives and may be opened: `with` puts it elsewhere.
    fn of_receiver<B: Body>(
        &mut self,
        ledger: &Ledger,
        (who, asset): (Who, Asset),
        with: impl Fn(&Ledger, Index) -> B,
    ) {
        let at = 777;
        assert!(ledger.run(&with(ledger, at), who).is_ok());
        let mut other = ledger.clone();
        other.set(at, 0, 6);
        self.rejects(&other, &with(&other, at), who, &vaults::RECEIVER_KIND);
        let mut other = ledger.clone();
        other.set(at, 3, 1);
        self.rejects(&other, &with(&other, at), who, &vaults::RECEIVER_KIND);
        other.vault(at, asset, 0, Feeder.owner());
        self.rejects(&other, &with(&other, at), who, &vaults::RECEIVER_OWNER);
        other.vault(at, asset + 1, 0, who.owner());
        self.rejects(&other, &with(&other, at), who, &vaults::RECEIVER_ASSET);
    }
}

/// A market whose kind, or time, is another one.
fn of_market<B: Body>(cases: &mut Cases, ledger: &Ledger, who: Who, body: impl Fn(&Ledger) -> B) {
    let mut other = ledger.clone();
    for time in [NOW - 1, NOW + 1] {
        other.set(MARKET, 5, time);
        cases.rejects(&other, &body(&other), who, &common::MARKET_TIME);
    }
    other.set(MARKET, 0, 4);
    cases.rejects(&other, &body(&other), who, &common::MARKET);
}

/// Terms and price that are others, or too old.
fn of_price<B: Body>(cases: &mut Cases, ledger: &Ledger, who: Who, body: impl Fn(&Ledger) -> B) {
    let mut other = ledger.clone();
    other.set(MARKET + 1, 2, u64::from(PRICE) + 1);
    cases.rejects(&other, &body(&other), who, &common::PRICE_INDEX);
    other.set(MARKET + 1, 0, 3);
    cases.rejects(&other, &body(&other), who, &common::TERMS);
    let mut other = ledger.clone();
    other.set(PRICE, 2, NOW - PRICE_AGE);
    assert!(other.run(&body(&other), who).is_ok());
    for time in [NOW - PRICE_AGE - 1, NOW + 1] {
        other.set(PRICE, 2, time);
        cases.rejects(&other, &body(&other), who, &common::PRICE_STALE);
    }
    other.set(PRICE, 0, 1);
    cases.rejects(&other, &body(&other), who, &common::PRICE_KIND);
}

/// A position that is another one.
fn of_position<B: Body>(cases: &mut Cases, ledger: &Ledger, who: Who, body: impl Fn(&Ledger) -> B) {
    let mut other = ledger.clone();
    other.set(Borrower.position(), 1, u64::from(MARKET) + 2);
    cases.rejects(&other, &body(&other), who, &common::POSITION_MARKET);
    other.set(Borrower.position(), 0, 1);
    cases.rejects(&other, &body(&other), who, &common::POSITION);
}

/// A position of another owner.
fn of_owner<B: Body>(cases: &mut Cases, ledger: &Ledger, body: impl Fn(&Ledger) -> B) {
    for element in 4..8 {
        let mut other = ledger.clone();
        other.set(Borrower.position(), element, 5);
        cases.rejects(&other, &body(&other), Borrower, &common::POSITION_OWNER);
    }
}
