//! Who and what there is: assets, people, pools, and where each of them lies in the state.

use std::collections::HashMap;
use std::io;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::exchange::{MIN_SHARES, Pool};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index, SHARES, Vault};
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::StateFile;
use toml::Spanned;

use super::Options;
use super::error::{Fault, Wrong};
use super::form::{Amounts, AssetForm, PersonForm, PoolForm, Setup, Text};
use super::numbers::{millionths, units};

/// The most percent of a swap's fee.
const MOST_FEE: u32 = 10;
/// What a pool's fee is if the scenario does not say.
const USUAL_FEE: u64 = 3_000;

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

/// All that has a name or a place.
#[derive(Debug)]
pub(super) struct World {
    chain_id: u64,
    tokens: Vec<Token>,
    people: Vec<Person>,
    /// Pools, by name.
    pools: Vec<(String, Index)>,
    /// Where each one's vault of an asset lies, or will lie.
    vaults: HashMap<(Who, Asset), Index>,
    next: Index,
}

impl World {
    /// Returns the world as it is at first, and its genesis.
    pub fn new(setup: &Setup, options: Options) -> Result<(Self, StateFile), Wrong> {
        let mut world = Self {
            chain_id: options.chain_id,
            tokens: vec![],
            people: vec![],
            pools: vec![],
            vaults: HashMap::new(),
            next: 0,
        };
        let mut genesis = StateFile {
            chain_id: options.chain_id,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        for asset in &setup.asset {
            world.add_asset(asset)?;
        }
        let operator = Account::from_index(options.seed, 0);
        let operator = operator.owner(world.chain());
        for number in 0..world.tokens.len() as Asset {
            let index = world.reserve();
            genesis.push(index, vault(operator, number, 0).into());
        }
        for person in &setup.person {
            world.add_person(person, options.seed, &mut genesis)?;
        }
        for pool in &setup.pool {
            world.add_pool(pool, &mut genesis)?;
        }
        Ok((world, genesis))
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

    /// Returns the asset of this name, or the shares of the pool that has it.
    pub fn token(&self, name: &Text) -> Result<Token, Wrong> {
        let own = self.tokens.iter().find(|token| token.name == name.text);
        let shares = || {
            let pool = self.pools.iter().find(|(known, _)| *known == name.text);
            pool.map(|(_, index)| self.token_of(SHARES + Asset::from(*index)))
        };
        let found = own.cloned().or_else(shares);
        let names = || self.tokens.iter().map(|token| token.name.clone());
        found.ok_or_else(|| unknown("asset", name, names().collect()))
    }

    /// Returns the asset of this number, be it one without a name.
    pub fn token_of(&self, number: Asset) -> Token {
        let own = self.tokens.iter().find(|token| token.number == number);
        let pool = self
            .pools
            .iter()
            .find(|(_, index)| SHARES + Asset::from(*index) == number);
        let unnamed = || Token {
            number,
            name: pool.map_or_else(|| format!("asset {number}"), |(name, _)| name.clone()),
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

    fn add_asset(&mut self, form: &Spanned<AssetForm>) -> Result<(), Wrong> {
        let AssetForm { name, decimals } = form.get_ref();
        self.check_name(name)?;
        self.tokens.push(Token {
            number: self.tokens.len() as Asset,
            name: name.text.clone(),
            decimals: *decimals,
        });
        Ok(())
    }

    fn add_person(
        &mut self,
        form: &Spanned<PersonForm>,
        seed: u64,
        genesis: &mut StateFile,
    ) -> Result<(), Wrong> {
        let PersonForm { name, has } = form.get_ref();
        self.check_name(name)?;
        let who = self.people.len();
        let account = Account::from_index(seed, who as u64 + 1);
        let owner = account.owner(self.chain());
        self.people.push(Person {
            name: name.text.clone(),
            account,
            owner,
        });
        for (asset, amount) in has {
            let token = self.token(&Text {
                at: amount.at,
                text: asset.clone(),
            })?;
            let balance = self.amount(amount, &token)?;
            let index = self.place(who, token.number);
            genesis.push(index, vault(owner, token.number, balance).into());
        }
        Ok(())
    }

    fn add_pool(&mut self, form: &Spanned<PoolForm>, genesis: &mut StateFile) -> Result<(), Wrong> {
        let (at, PoolForm { name, has, fee, of }) = (form.span().start, form.get_ref());
        let who = self.who(of)?;
        let names: Vec<Text> = has
            .iter()
            .map(|(asset, amount)| Text {
                at: amount.at,
                text: asset.clone(),
            })
            .collect();
        let [first, second] = names.as_slice() else {
            let fault = Fault::Sides {
                found: names_of(has),
                expected: ["one asset".to_owned(), "another one".to_owned()],
            };
            return Err(Wrong::from(fault).at(at));
        };
        let mut tokens = [self.token(first)?, self.token(second)?];
        tokens.sort_unstable_by_key(|token| token.number);
        let [a, b] = &tokens;
        let [reserve_a, reserve_b] = self.sides(has, at, [a, b])?;
        let fee = fee.as_ref().map_or(Ok(USUAL_FEE), |fee| {
            millionths(&fee.text, MOST_FEE).map_err(|fault| fee.wrong(fault))
        })?;
        let root = (u128::from(reserve_a) * u128::from(reserve_b)).isqrt();
        let shares = u64::try_from(root).unwrap_or(u64::MAX);
        if shares <= MIN_SHARES {
            return Err(Wrong::from(Fault::FewShares { found: shares }).at(at));
        }
        let pool = Pool {
            asset_a: a.number,
            asset_b: b.number,
            reserve_a,
            reserve_b,
            shares,
            fee,
        };
        let index = self.reserve();
        self.name_pool(name, index)?;
        genesis.push(index, pool.into());
        let share = SHARES + Asset::from(index);
        let held = vault(self.people[who].owner, share, shares - MIN_SHARES);
        genesis.push(self.place(who, share), held.into());
        Ok(())
    }

    /// A name is short, can stand in an amount, and nothing has it yet.
    fn check_name(&self, name: &Text) -> Result<(), Wrong> {
        let is_plain = |c: char| c.is_alphanumeric() || "._+/-".contains(c);
        let text = &name.text;
        if text.is_empty() || text.chars().count() > 32 || !text.chars().all(is_plain) {
            let found = name.shown();
            return Err(name.wrong(Fault::Name { found }));
        }
        let tokens = self.tokens.iter().map(|token| &token.name);
        let people = self.people.iter().map(|person| &person.name);
        let pools = self.pools.iter().map(|(name, _)| name);
        if tokens.chain(people).chain(pools).any(|known| known == text) {
            let found = name.shown();
            return Err(name.wrong(Fault::NamedTwice { found }));
        }
        Ok(())
    }
}

fn vault(owner: Digest, asset: Asset, balance: u64) -> Vault {
    Vault {
        owner,
        asset,
        balance,
        nonce: 0,
    }
}

fn names_of(amounts: &Amounts) -> String {
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
