//! The contracts of lending on numbers, and each time on the row too: that the constraints hold
//! exactly if the rule accepts.

mod agree;
mod bodies;
mod exploits;
mod refusals;
mod search;
mod vectors;
mod works;

use std::collections::BTreeMap;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, ZERO_DIGEST};
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_POSITION, KIND_TERMS, Record, SHARES, Vault,
};
use shardfold_protocol::transaction::{Kind, Transaction};

use super::*;
use crate::FeePayment;
use crate::law::Body;
use crate::machine::Reject;
use crate::readings::{Authority, Context, Effect, PREPARED, Prepared};
use crate::set::standard;

pub const NOW: u64 = 1_000_000;
pub const LOAN: Asset = 7;
pub const COLLATERAL: Asset = 9;
pub const PRICE: Index = 50;
pub const MARKET: Index = 100;
pub const SHARE: Asset = SHARES + MARKET as Asset;
pub const SCALE: u64 = 1_000;
pub const LIMIT: u64 = (1 << 62) - 1;
pub const RATES: Rates = Rates {
    slope1: 40_000,
    slope2: 2_000_000,
    fee: 100_000,
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Creator = 1,
    Supplier,
    Borrower,
    Liquidator,
    Feeder,
}
pub use Who::*;

impl Who {
    pub fn owner(self) -> Digest {
        core::array::from_fn(|i| F::from_usize(self as usize * 100 + i))
    }

    /// The vault that holds the loan asset.
    pub const fn loan(self) -> Index {
        self as Index * 10
    }

    pub const fn collateral(self) -> Index {
        self.loan() + 1
    }

    pub const fn shares(self) -> Index {
        self.loan() + 2
    }

    pub const fn position(self) -> Index {
        self.loan() + 3
    }
}

/// The operator's vaults, of the loan asset and of the collateral.
pub const OPERATOR: [Index; 2] = [90, 91];

/// Records, and the time.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub records: BTreeMap<Index, Record>,
    pub now: u64,
    pub fee: u64,
}

/// A market's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Totals {
    pub sa: u64,
    pub ss: u64,
    pub ba: u64,
    pub bs: u64,
    pub fee_shares: u64,
}

impl Ledger {
    /// Vaults with so much of both assets each, and a price of one for one.
    pub fn funded(amount: u64) -> Self {
        let mut ledger = Self {
            records: BTreeMap::new(),
            now: NOW,
            fee: 0,
        };
        for who in [Creator, Supplier, Borrower, Liquidator] {
            ledger.vault(who.loan(), LOAN, amount, who.owner());
            ledger.vault(who.collateral(), COLLATERAL, amount, who.owner());
        }
        for (index, asset) in OPERATOR.into_iter().zip([LOAN, COLLATERAL]) {
            ledger.vault(index, asset, 0, ZERO_DIGEST);
        }
        ledger.set_price(SCALE, NOW);
        ledger
    }

    /// With a market by its own transaction.
    pub fn with_market(amount: u64) -> Self {
        let mut ledger = Self::funded(amount);
        ledger.accepts(&ledger.create_market(), Creator);
        ledger
    }

    /// With a market of these totals, and a position of these.
    pub fn with_totals(totals: Totals, (collateral, debt): (u64, u64)) -> Self {
        let mut ledger = Self::with_market(1 << 61);
        ledger.set_totals(totals);
        ledger.set_position(Borrower, collateral, debt);
        ledger
    }

    pub fn vault(&mut self, index: Index, asset: Asset, balance: u64, owner: Digest) {
        let vault = Vault {
            owner,
            asset,
            balance,
            nonce: 0,
        };
        self.records.insert(index, vault.into());
    }

    pub fn set(&mut self, index: Index, element: usize, value: u64) {
        self.records.entry(index).or_insert(Record::EMPTY).0[element] = F::from_u64(value);
    }

    pub fn set_price(&mut self, price: u64, time: u64) {
        let [a, b, c, d] = Feeder.owner();
        let numbers = [6, price, time, 0].map(F::from_u64);
        let [k, p, t, z] = numbers;
        self.records.insert(PRICE, Record([k, p, t, z, a, b, c, d]));
    }

    pub fn set_totals(&mut self, totals: Totals) {
        let Totals { sa, ss, ba, bs, .. } = totals;
        for (element, value) in [(1, sa), (2, ss), (3, ba), (4, bs), (7, totals.fee_shares)] {
            self.set(MARKET, element, value);
        }
        self.set(MARKET, 5, self.now);
    }

    pub fn set_position(&mut self, who: Who, collateral: u64, debt: u64) {
        let [a, b, c, d] = who.owner();
        let numbers = [KIND_POSITION, u64::from(MARKET), collateral, debt];
        let [k, m, x, y] = numbers.map(F::from_u64);
        self.records
            .insert(who.position(), Record([k, m, x, y, a, b, c, d]));
    }

    pub fn get(&self, index: Index, element: usize) -> u64 {
        let record = self.records.get(&index);
        record.map_or(0, |record| record.0[element].as_canonical_u64())
    }

    pub fn balance(&self, index: Index) -> u64 {
        self.get(index, 2)
    }

    /// Collateral and shares of the debt.
    pub fn position(&self, who: Who) -> (u64, u64) {
        (self.get(who.position(), 2), self.get(who.position(), 3))
    }

    pub fn totals(&self) -> Totals {
        let at = |element| self.get(MARKET, element);
        Totals {
            sa: at(1),
            ss: at(2),
            ba: at(3),
            bs: at(4),
            fee_shares: at(7),
        }
    }

    pub fn signer(&self, vault: Index) -> Signer {
        let is_collateral = self.get(vault, 1) == COLLATERAL;
        Signer {
            vault,
            nonce: self.get(vault, 3),
            valid_until: self.now,
            fee: FeePayment {
                amount: self.fee,
                vault: OPERATOR[usize::from(is_collateral)],
            },
        }
    }

    fn context(&self) -> Context {
        Context {
            chain_id: F::from_u64(3),
            time: self.now,
            queue_count: 0,
        }
    }

    /// What a transaction does; the rule and the row agree on it.
    pub fn run<B: Body>(&self, body: &B, who: Who) -> Result<Effect, Reject> {
        self.agreed(&body.unsigned(), who)
    }

    /// [`Self::run`] of elements, those that no body of a struct has too.
    pub fn run_words(&self, kind: &str, words: Vec<F>, who: Who) -> Result<Effect, Reject> {
        let kind = Kind::named(kind).expect("a name");
        self.agreed(&Transaction::unsigned(kind, words), who)
    }

    fn agreed(&self, transaction: &Transaction, who: Who) -> Result<Effect, Reject> {
        let effect = self.run_only(transaction, who);
        let has_agreed = agree::is_provable(self, transaction, who);
        // A fee vault is another table's.
        let is_fee = |reject: &Reject| reject.reason.name().starts_with("fee-vault");
        if !effect.as_ref().is_err_and(is_fee) {
            assert_eq!(has_agreed, effect.is_ok(), "{effect:?}");
        }
        effect
    }

    /// What a transaction does.
    fn run_only(&self, transaction: &Transaction, who: Who) -> Result<Effect, Reject> {
        let prepared = Prepared {
            digests: [ZERO_DIGEST; PREPARED],
            authority: Authority {
                owner: who.owner(),
                has_signed: true,
            },
        };
        let read = |index| *self.records.get(&index).unwrap_or(&Record::EMPTY);
        let mut effect = Effect::default();
        standard()
            .run(transaction, &prepared, &self.context(), &read, &mut effect)
            .map(|()| effect)
    }

    fn write(&mut self, effect: &Effect) {
        self.records.extend(effect.writes.iter().copied());
        if let Some(fee) = effect.fee {
            let record = self.records[&fee.vault].credited(fee.amount);
            self.records.insert(fee.vault, record);
        }
    }

    /// Applies what is accepted; nothing is made or lost by it.
    pub fn apply(&mut self, body: &impl Body, who: Who) -> Result<(), Reject> {
        let effect = self.run(body, who)?;
        let before = self.held();
        self.write(&effect);
        assert_eq!(self.held(), before, "{effect:?}");
        Ok(())
    }

    /// [`Self::apply`] of many transactions: neither the row nor what is held is looked at.
    pub fn apply_fast(&mut self, body: &impl Body, who: Who) -> Result<(), Reject> {
        let effect = self.run_only(&body.unsigned(), who)?;
        self.write(&effect);
        Ok(())
    }

    pub fn accepts(&mut self, body: &impl Body, who: Who) {
        self.apply(body, who)
            .unwrap_or_else(|reject| panic!("{reject}"));
    }

    /// It is rejected for this reason, and what it would do has no row.
    pub fn rejects(&self, body: &impl Body, who: Who, reason: &'static crate::Reason) {
        let reject = self.run(body, who).expect_err(reason.name());
        assert_eq!(reject.reason.name(), reason.name(), "{reject}");
    }

    /// Of each asset what there is, and of each market how many shares more are held, or owed, than it
    /// has: what no transaction of lending changes.
    fn held(&self) -> BTreeMap<(&'static str, u64), i128> {
        let mut held = BTreeMap::new();
        let mut add = |what, of: u64, amount: i128| *held.entry((what, of)).or_insert(0) += amount;
        let n = |x: F| i128::from(x.as_canonical_u64());
        for (&index, Record(e)) in &self.records {
            let [kind, first, ..] = e.map(|x| x.as_canonical_u64());
            let share = SHARES + u64::from(index);
            match kind {
                1 => add("asset", first, n(e[2])),
                KIND_MARKET => {
                    add("asset", e[6].as_canonical_u64(), n(e[1]) - n(e[3]));
                    add("asset", share, n(e[7]) - n(e[2]));
                    add("debt", u64::from(index), -n(e[4]));
                }
                KIND_POSITION => {
                    let terms = first as Index + 1;
                    assert_eq!(self.get(terms, 0), KIND_TERMS);
                    add("asset", self.get(terms, 1), n(e[2]));
                    add("debt", first, n(e[3]));
                }
                _ => {}
            }
        }
        held.retain(|_, amount| *amount != 0);
        held
    }
}
