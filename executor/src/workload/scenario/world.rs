//! Who and what there is: assets, people, pools, and where each of them lies in the state.

use std::collections::HashMap;
use std::io;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::lending::Rates;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index, SHARES};
use shardfold_protocol::signature::Account;

use super::error::{Fault, Wrong};
use super::form::{Amounts, Text};
use super::numbers::units;

/// An asset, or the shares of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub number: Asset,
    pub name: String,
    pub decimals: u32,
}

/// So many units of an asset.
#[derive(Clone, Debug)]
pub(super) struct Money {
    pub token: Token,
    pub amount: u64,
}

/// Somebody with a key.
#[derive(Debug)]
pub(super) struct Person {
    pub name: String,
    pub account: Account,
    pub owner: Digest,
}

/// Somebody's place in the list of people.
pub(super) type Who = usize;

/// A price that somebody says.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub name: String,
    pub index: Index,
    /// Who says it.
    pub of: Who,
    /// Of what it is the price, and in which asset.
    pub base: Token,
    pub quote: Token,
}

/// A market of one loan asset and one collateral.
#[derive(Clone, Debug)]
pub(super) struct Market {
    pub name: String,
    pub index: Index,
    pub loan: Token,
    pub collateral: Token,
    /// Where its price lies.
    pub price: Index,
    /// Where its fee goes.
    pub fees: Index,
    pub rates: Rates,
}

/// All that has a name or a place.
#[derive(Debug, Default)]
pub(super) struct World {
    pub chain_id: u64,
    /// Who has the vaults of fees.
    pub operator: Option<Account>,
    pub tokens: Vec<Token>,
    pub people: Vec<Person>,
    /// Pools, by name.
    pub pools: Vec<(String, Index)>,
    pub feeds: Vec<Feed>,
    pub markets: Vec<Market>,
    /// Where each one's vault of an asset lies, or will lie.
    vaults: HashMap<(Who, Asset), Index>,
    /// Where each one's position in the market at an index lies, or will lie.
    positions: HashMap<(Who, Index), Index>,
    next: Index,
}

impl World {
    /// Returns a world of a chain in which there is nothing.
    pub fn empty(chain_id: u64) -> Self {
        Self {
            chain_id,
            ..Self::default()
        }
    }

    /// Returns the chain as an element.
    pub fn chain(&self) -> F {
        F::from_u64(self.chain_id)
    }

    /// Returns an index where nothing lies.
    pub fn reserve(&mut self) -> Index {
        let index = self.next;
        self.next += 1;
        index
    }

    /// Returns where somebody's vault of an asset lies, or will lie.
    pub fn place(&mut self, who: Who, asset: Asset) -> Index {
        if let Some(&index) = self.vaults.get(&(who, asset)) {
            return index;
        }
        let index = self.reserve();
        self.vaults.insert((who, asset), index);
        index
    }

    /// Returns where somebody's position in a market lies, or will lie.
    pub fn position(&mut self, who: Who, market: Index) -> Index {
        if let Some(&index) = self.positions.get(&(who, market)) {
            return index;
        }
        let index = self.reserve();
        self.positions.insert((who, market), index);
        index
    }

    /// Returns the feed of this name.
    pub fn feed(&self, name: &Text) -> Result<Feed, Wrong> {
        let found = self.feeds.iter().find(|feed| feed.name == name.text);
        let names = || self.feeds.iter().map(|feed| feed.name.clone());
        let found = found.cloned();
        found.ok_or_else(|| unknown("feed", name, names().collect()))
    }

    /// Returns the market of this name.
    pub fn market(&self, name: &Text) -> Result<Market, Wrong> {
        let found = self.markets.iter().find(|market| market.name == name.text);
        let names = || self.markets.iter().map(|market| market.name.clone());
        let found = found.cloned();
        found.ok_or_else(|| unknown("market", name, names().collect()))
    }

    /// Returns what has shares, by name: pools and markets.
    fn shared(&self) -> impl Iterator<Item = (&str, Index)> {
        let pools = self
            .pools
            .iter()
            .map(|(name, index)| (name.as_str(), *index));
        let markets = self.markets.iter();
        pools.chain(markets.map(|market| (market.name.as_str(), market.index)))
    }

    /// Returns where the fees in an asset go; `None` for shares, of which the operator has no vault.
    pub fn fee_vault(&self, asset: Asset) -> Option<Index> {
        let is_own = asset < self.tokens.len() as Asset;
        is_own.then_some(asset as Index)
    }

    pub fn person(&self, who: Who) -> &Person {
        &self.people[who]
    }

    /// Returns who has this name.
    pub fn who(&self, name: &Text) -> Result<Who, Wrong> {
        let names = || self.people.iter().map(|person| person.name.clone());
        let found = names().position(|known| known == name.text);
        found.ok_or_else(|| unknown("person", name, names().collect()))
    }

    /// Returns where the pool of this name lies.
    pub fn pool(&self, name: &Text) -> Result<Index, Wrong> {
        let found = self.pools.iter().find(|(known, _)| *known == name.text);
        let names = || self.pools.iter().map(|(name, _)| name.clone());
        let found = found.ok_or_else(|| unknown("pool", name, names().collect()))?;
        Ok(found.1)
    }

    /// Returns where all pools lie.
    pub fn pools(&self) -> impl Iterator<Item = Index> {
        self.pools.iter().map(|(_, index)| *index)
    }

    /// Gives a pool at an index its name.
    pub fn name_pool(&mut self, name: &Text, index: Index) -> Result<(), Wrong> {
        self.check_name(name)?;
        self.pools.push((name.text.clone(), index));
        Ok(())
    }

    /// Returns the asset of this name, or the shares of the pool or market that has it.
    pub fn token(&self, name: &Text) -> Result<Token, Wrong> {
        let own = self.tokens.iter().find(|token| token.name == name.text);
        let shares = || {
            let found = self.shared().find(|(known, _)| *known == name.text);
            found.map(|(_, index)| self.token_of(SHARES + Asset::from(index)))
        };
        let found = own.cloned().or_else(shares);
        let names = || self.tokens.iter().map(|token| token.name.clone());
        found.ok_or_else(|| unknown("asset", name, names().collect()))
    }

    /// Returns the asset of this number, be it one without a name.
    pub fn token_of(&self, number: Asset) -> Token {
        let own = self.tokens.iter().find(|token| token.number == number);
        let shared = self
            .shared()
            .find(|(_, index)| SHARES + Asset::from(*index) == number);
        let unnamed = || Token {
            number,
            name: shared.map_or_else(|| format!("asset {number}"), |(name, _)| name.to_owned()),
            decimals: 0,
        };
        own.cloned().unwrap_or_else(unnamed)
    }

    /// Reads an amount such as `5 ETH`.
    pub fn money(&self, text: &Text) -> Result<Money, Wrong> {
        let Some((number, name)) = text.text.trim().split_once(char::is_whitespace) else {
            return Err(text.wrong(Fault::OtherAsset {
                found: text.shown(),
                expected: "an asset, such as \"5 ETH\"".to_owned(),
            }));
        };
        let name = Text {
            at: text.at,
            text: name.trim().to_owned(),
        };
        let token = self.token(&name)?;
        let amount = units(number, &token.name, token.decimals);
        let amount = amount.map_err(|fault| text.wrong(fault))?;
        Ok(Money { token, amount })
    }

    /// Reads an amount of this asset, named or not.
    pub fn amount(&self, text: &Text, token: &Token) -> Result<u64, Wrong> {
        if !text.text.trim().contains(char::is_whitespace) {
            let amount = units(text.text.trim(), &token.name, token.decimals);
            return amount.map_err(|fault| text.wrong(fault));
        }
        let money = self.money(text)?;
        if money.token != *token {
            return Err(text.wrong(Fault::OtherAsset {
                found: text.shown(),
                expected: token.name.clone(),
            }));
        }
        Ok(money.amount)
    }

    /// Reads amounts of both of these assets, and of no other.
    pub fn sides(&self, amounts: &Amounts, at: usize, of: [&Token; 2]) -> Result<[u64; 2], Wrong> {
        let side = |token: &Token| amounts.get(&token.name);
        if amounts.len() != 2 || of.iter().any(|token| side(token).is_none()) {
            let fault = Fault::Sides {
                found: names_of(amounts),
                expected: of.map(|token| token.name.clone()),
            };
            return Err(Wrong::from(fault).at(at));
        }
        let mut found = [0; 2];
        for (amount, token) in found.iter_mut().zip(of) {
            if let Some(text) = side(token) {
                *amount = self.amount(text, token)?;
            }
        }
        Ok(found)
    }

    /// Writes what lies where as a CSV table.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_names(&self, out: impl io::Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["what", "name", "asset", "decimals", "index"])?;
        let mut row = |what: &str, name: &str, token: &Token, index: Index| {
            let asset = token.number.to_string();
            let (decimals, index) = (token.decimals.to_string(), index.to_string());
            table.write_record([what, name, &asset, &decimals, &index])
        };
        for token in &self.tokens {
            row("fees", &token.name, token, token.number as Index)?;
        }
        for (name, index) in &self.pools {
            row(
                "pool",
                name,
                &self.token_of(SHARES + Asset::from(*index)),
                *index,
            )?;
        }
        for feed in &self.feeds {
            row("feed", &feed.name, &feed.quote, feed.index)?;
        }
        for market in &self.markets {
            let shares = self.token_of(SHARES + Asset::from(market.index));
            row("market", &market.name, &shares, market.index)?;
        }
        let mut positions: Vec<_> = self.positions.iter().collect();
        positions.sort_unstable_by_key(|(_, index)| **index);
        for ((who, market), index) in positions {
            let shares = self.token_of(SHARES + Asset::from(*market));
            row("position", &self.people[*who].name, &shares, *index)?;
        }
        let mut vaults: Vec<_> = self.vaults.iter().collect();
        vaults.sort_unstable_by_key(|(_, index)| **index);
        for ((who, asset), index) in vaults {
            row(
                "vault",
                &self.people[*who].name,
                &self.token_of(*asset),
                *index,
            )?;
        }
        table.flush()
    }

    /// A name is short, can stand in an amount, and nothing has it yet.
    pub fn check_name(&self, name: &Text) -> Result<(), Wrong> {
        let is_plain = |c: char| c.is_alphanumeric() || "._+/-".contains(c);
        let text = &name.text;
        if text.is_empty() || text.chars().count() > 32 || !text.chars().all(is_plain) {
            let found = name.shown();
            return Err(name.wrong(Fault::Name { found }));
        }
        let tokens = self.tokens.iter().map(|token| &token.name);
        let people = self.people.iter().map(|person| &person.name);
        let feeds = self.feeds.iter().map(|feed| &feed.name);
        let named = tokens.chain(people).chain(feeds).map(String::as_str);
        let shared = self.shared().map(|(name, _)| name);
        if named.chain(shared).any(|known| known == text) {
            let found = name.shown();
            return Err(name.wrong(Fault::NamedTwice { found }));
        }
        Ok(())
    }
}

pub(super) fn names_of(amounts: &Amounts) -> String {
    let names: Vec<_> = amounts.keys().map(String::as_str).collect();
    match names.len() {
        0 => "no amounts".to_owned(),
        _ => format!("amounts of {}", names.join(", ")),
    }
}

fn unknown(what: &'static str, name: &Text, expected: Vec<String>) -> Wrong {
    name.wrong(Fault::Unknown {
        what,
        found: name.shown(),
        expected,
    })
}
