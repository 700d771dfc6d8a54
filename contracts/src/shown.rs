//! What records and transactions mean, for people: names for the numbers of each kind of record, and
//! for what a transaction pays and gives.
//!
//! The commands know no kind by themselves: a new one is an entry of [`KINDS`], and a contract names
//! its totals itself ([`crate::Law::totals`]).

use p3_field::PrimeField64;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, KIND_PRICE, KIND_TERMS,
    KIND_VAULT, Record, Vault,
};
use shardfold_protocol::text::digest::to_hex;
use shardfold_protocol::transaction::{Field, FieldForm, Form, Transaction};

use crate::exchange::Pool;
use crate::lending::Rates;
use crate::readings::Effect;
use crate::set::Contracts;
use crate::total::Total;

mod ratio;

pub use ratio::ratio;

/// A kind of record, and what its elements are called.
#[derive(Clone, Copy, Debug)]
pub struct RecordKind {
    /// The record's first element.
    pub number: u64,
    /// What it is called.
    pub name: &'static str,
    /// What the other elements are called, in order: one element each, four for a digest, and none
    /// for those after the last name.
    pub parts: &'static [Part],
    /// What follows from the elements.
    pub derived: fn(&Record) -> Vec<(&'static str, String)>,
}

/// A named part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// An element that is an integer.
    Number(&'static str),
    /// Four elements that are a digest.
    Digest(&'static str),
    /// An element that is always the same.
    Fixed,
}

use Part::{Digest as Hash, Fixed, Number};

/// The kinds of records that there are.
pub static KINDS: &[RecordKind] = &[
    RecordKind {
        number: KIND_VAULT,
        name: "vault",
        parts: &[
            Number("asset"),
            Number("balance"),
            Number("nonce"),
            Hash("owner"),
        ],
        derived: nothing_more,
    },
    RecordKind {
        number: KIND_POOL,
        name: "pool",
        parts: &[
            Number("asset_a"),
            Number("asset_b"),
            Number("reserve_a"),
            Number("reserve_b"),
            Number("shares"),
            Number("fee_millionths"),
            Number("mode"),
        ],
        derived: price_of_pool,
    },
    RecordKind {
        number: KIND_MARKET,
        name: "market",
        parts: &[
            Number("supplied_assets"),
            Number("supplied_shares"),
            Number("borrowed_assets"),
            Number("borrowed_shares"),
            Number("time"),
            Number("loan_asset"),
            Number("fee_shares"),
        ],
        derived: use_of_market,
    },
    RecordKind {
        number: KIND_TERMS,
        name: "terms",
        parts: &[
            Number("collateral_asset"),
            Number("price_index"),
            Number("loan_to_value"),
            Number("bonus"),
            Number("scale"),
            Number("rates"),
            Number("fee_vault"),
        ],
        derived: rates_of_terms,
    },
    RecordKind {
        number: KIND_POSITION,
        name: "position",
        parts: &[
            Number("market"),
            Number("collateral"),
            Number("debt_shares"),
            Hash("owner"),
        ],
        derived: nothing_more,
    },
    RecordKind {
        number: KIND_PRICE,
        name: "price",
        parts: &[Number("price"), Number("time"), Fixed, Hash("feeder")],
        derived: nothing_more,
    },
    RecordKind {
        number: KIND_PAYOUT,
        name: "payout",
        parts: &[
            Number("asset"),
            Number("remaining"),
            Number("refund_vault"),
            Hash("list"),
        ],
        derived: nothing_more,
    },
];

fn nothing_more(_: &Record) -> Vec<(&'static str, String)> {
    vec![]
}

/// Units of asset b for one unit of asset a, before the fee.
fn price_of_pool(record: &Record) -> Vec<(&'static str, String)> {
    let pool = Pool::of(record);
    let price = pool.and_then(|pool| ratio(pool.reserve_b, pool.reserve_a));
    price.map(|price| ("price", price)).into_iter().collect()
}

/// Which part of what is supplied is lent.
fn use_of_market(record: &Record) -> Vec<(&'static str, String)> {
    let [_, supplied, _, borrowed, ..] = record.0.map(|element| element.as_canonical_u64());
    let lent = ratio(borrowed, supplied);
    lent.map(|lent| ("lent", lent)).into_iter().collect()
}

/// The parts of the element that rates are packed into.
fn rates_of_terms(record: &Record) -> Vec<(&'static str, String)> {
    let rates = Rates::unpacked(record.0[6]);
    vec![
        ("rate_millionths", rates.slope1.to_string()),
        ("steep_millionths", rates.slope2.to_string()),
        ("fee_millionths", rates.fee.to_string()),
    ]
}

/// A value of a record, with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Number(u64),
    /// A digest.
    Digest(Digest),
}

impl core::fmt::Display for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Digest(digest) => f.write_str(&to_hex(digest)),
        }
    }
}

impl RecordKind {
    /// Returns the kind of a record, if it is a known one.
    #[must_use]
    pub fn of(record: &Record) -> Option<&'static Self> {
        let number = record.0[0].as_canonical_u64();
        KINDS.iter().find(|kind| kind.number == number)
    }

    /// Returns the named values of a record of this kind; of nothing if it is an empty one.
    #[must_use]
    pub fn values(&self, record: &Record) -> Vec<(&'static str, Value)> {
        let [_, elements @ ..] = record.0;
        let mut rest = &elements[..];
        let mut values = vec![];
        for part in self.parts {
            match (part, rest) {
                (Number(name), [element, after @ ..]) => {
                    values.push((*name, Value::Number(element.as_canonical_u64())));
                    rest = after;
                }
                (Hash(name), [a, b, c, d, after @ ..]) => {
                    values.push((*name, Value::Digest([*a, *b, *c, *d])));
                    rest = after;
                }
                (Fixed, [_, after @ ..]) => rest = after,
                _ => return values,
            }
        }
        values
    }

    /// Returns all that is said of a record of this kind: its values, and what follows from them.
    #[must_use]
    pub fn texts(&self, record: &Record) -> Vec<(&'static str, String)> {
        let values = self.values(record).into_iter();
        let texts = values.map(|(name, value)| (name, value.to_string()));
        texts.chain((self.derived)(record)).collect()
    }
}

/// What an accepted transaction did to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it lies.
    pub index: Index,
    /// As it was.
    pub before: Record,
    /// As it is.
    pub after: Record,
}

impl Change {
    /// Returns the changes of an effect, the fee vault's own apart, given the records before.
    #[must_use]
    pub fn all(effect: &Effect, read: &dyn Fn(Index) -> Record) -> Vec<Self> {
        let writes = effect.writes.iter();
        let change = |&(index, after): &(Index, Record)| Self {
            index,
            before: read(index),
            after,
        };
        writes.map(change).collect()
    }

    /// Returns the asset of the vault here, and what its balance gained, or lost if it is negative.
    #[must_use]
    pub fn gain(&self) -> Option<(Asset, i64)> {
        let after = self.after.vault()?;
        let before = self.before.vault().map_or(0, |vault| vault.balance);
        Some((after.asset, difference(before, after.balance)))
    }

    /// Returns whether the record is as it was.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// Returns whether the vault here signed the transaction.
    fn has_signed(&self) -> bool {
        let nonce = |record: &Record| record.vault().map_or(0, |Vault { nonce, .. }| nonce);
        nonce(&self.after) != nonce(&self.before)
    }
}

/// How much a number below 2^63 grew.
fn difference(before: u64, after: u64) -> i64 {
    match after.checked_sub(before) {
        Some(more) => i64::try_from(more).unwrap_or(i64::MAX),
        None => -i64::try_from(before - after).unwrap_or(i64::MAX),
    }
}

/// A named amount of what a transaction moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What it is.
    pub name: &'static str,
    /// Of which asset.
    pub asset: Asset,
    /// How much.
    pub amount: u64,
}

impl Contracts {
    /// Returns the totals of an accepted transaction, as its contract names them.
    #[must_use]
    pub fn totals(&self, transaction: &Transaction, changes: &[Change], fee: u64) -> Vec<Moved> {
        let Ok(plan) = self.path(transaction) else {
            return vec![];
        };
        let form = Form {
            kind: transaction.kind,
            fields: plan.law.fields(),
            is_signed: false,
        };
        let totals = plan.law.totals().iter();
        let moved = totals.filter_map(|total| total.of(&form, transaction, changes, fee));
        moved.collect()
    }
}

impl Total {
    fn of(self, form: &Form, from: &Transaction, changes: &[Change], fee: u64) -> Option<Moved> {
        // What the vault that signs pays as a fee is no part of what it moves.
        let gain = |change: &Change| {
            let paid = if change.has_signed() { fee } else { 0 };
            let (asset, gain) = change.gain()?;
            Some((asset, gain + i64::try_from(paid).ok()?))
        };
        let at = |vault| {
            let index = named(form, from, vault)?;
            gain(changes.iter().find(|change| change.index == index)?)
        };
        let (name, (asset, amount)) = match self {
            Self::Loss { name, vault } => {
                let (asset, gain) = at(vault)?;
                (name, (asset, -gain))
            }
            Self::Gain { name, vault } => (name, at(vault)?),
            Self::Gains { name } => {
                let gains = changes
                    .iter()
                    .filter_map(gain)
                    .filter(|(_, gain)| *gain > 0);
                (
                    name,
                    gains.reduce(|(_, sum), (asset, gain)| (asset, sum + gain))?,
                )
            }
        };
        Some(Moved {
            name,
            asset,
            amount: u64::try_from(amount).ok()?,
        })
    }
}

/// The index in a field of a body.
fn named(form: &Form, transaction: &Transaction, name: &str) -> Option<Index> {
    let mut at = 0;
    for (field, length) in form.lengths(transaction.words.len()) {
        if is_index(&field, name) {
            let word = transaction.words.get(at)?;
            return Index::try_from(word.as_canonical_u64()).ok();
        }
        at += length;
    }
    None
}

fn is_index(field: &Field, name: &str) -> bool {
    field.name == name && field.form == FieldForm::Small
}

#[cfg(test)]
mod tests;
