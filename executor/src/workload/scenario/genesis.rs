//! What is there at first: the operator's vaults, those of people, and pools.

use shardfold_contracts::exchange::{MIN_SHARES, Pool};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, SHARES, Vault};
use shardfold_protocol::signature::Account;
use shardfold_protocol::state::StateFile;
use toml::Spanned;

use super::Options;
use super::error::{Fault, Wrong};
use super::form::{AssetForm, PersonForm, PoolForm, Setup, Text};
use super::numbers::millionths;
use super::world::{Person, Token, World, names_of};

/// The most percent of a swap's fee.
const MOST_FEE: u32 = 10;
/// What a pool's fee is if the scenario does not say.
const USUAL_FEE: u64 = 3_000;

impl World {
    /// Returns the world as it is at first, and its genesis.
    pub fn new(setup: &Setup, options: Options) -> Result<(Self, StateFile), Wrong> {
        let mut world = Self::empty(options.chain_id);
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
        let owner = operator.owner(world.chain());
        world.operator = Some(operator);
        for number in 0..world.tokens.len() as Asset {
            let index = world.reserve();
            genesis.push(index, vault(owner, number, 0).into());
        }
        for person in &setup.person {
            world.add_person(person, options.seed, &mut genesis)?;
        }
        for pool in &setup.pool {
            world.add_pool(pool, &mut genesis)?;
        }
        Ok((world, genesis))
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
}

fn vault(owner: Digest, asset: Asset, balance: u64) -> Vault {
    Vault {
        owner,
        asset,
        balance,
        nonce: 0,
    }
}
