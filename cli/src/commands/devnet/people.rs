//! Who takes part, what each of them does on the base chain, and what it costs them.

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, sol};
use anyhow::Result;
use p3_field::PrimeCharacteristicRing as _;
use shardfold_executor::workload::{CHAIN_ID, Keys};
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::signature::Account;
use shardfold_settlement::encoding::{key_elements, word};
use shardfold_settlement::interface::IRollup::{depositCall, itemPriceCall, requestExitCall};
use shardfold_submitter::anvil::Anvil;

sol! {
    /// What everybody needs of the token.
    #[allow(missing_docs)]
    interface IToken {
        function mint(address to, uint256 amount) external;
        function approve(address spender, uint256 amount) external returns (bool);
        function balanceOf(address account) external view returns (uint256);
    }
}

/// The coin of the chain, in units of 10^9 wei.
pub const COIN: Asset = 0;
/// The token, in its smallest units; a million of them are one dollar.
pub const DOLLAR: Asset = 1;
/// Wei of a unit of the coin.
pub const GWEI: u64 = 1_000_000_000;
/// Units of one whole of the coin.
pub const ETHER: u64 = 1_000_000_000;
/// Units of one whole of the token.
pub const DOLLARS: u64 = 1_000_000;
/// Digits of a unit of the coin in wei.
pub const COIN_DIGITS: u8 = 9;

/// Numbers of the people, by which keys and names are found.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CAROL: usize = 2;
pub const DAVE: usize = 3;
pub const ERIN: usize = 4;
/// Has vaults for fees.
pub const OPERATOR: usize = 5;
const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "operator"];
/// The family of their keys.
const SEED: u64 = 6;
/// What each has on the base chain, in wholes.
const WEALTH: u64 = 1_000;

/// Who pays in what before the first batch: person, asset, units. On an empty ledger the deposit of
/// this number opens the vault of this index.
pub const DEPOSITS: [(usize, Asset, u64); 8] = [
    (ALICE, COIN, 200 * ETHER),
    (ALICE, DOLLAR, 600_000 * DOLLARS),
    (BOB, COIN, 50 * ETHER),
    (BOB, DOLLAR, 100_000 * DOLLARS),
    (CAROL, COIN, 20 * ETHER),
    (CAROL, DOLLAR, 50_000 * DOLLARS),
    (DAVE, COIN, 5 * ETHER),
    (ERIN, COIN, 3 * ETHER),
];

/// One of them, on the base chain.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub address: Address,
    /// The account on the ledger.
    account: Account,
    /// What they had when all began, of coin in wei and of the token in units.
    pub start: [U256; 2],
    /// What they have paid into the contract, and got out of it, in units by asset.
    pub paid_in: [u64; 2],
    pub paid_out: [u64; 2],
    /// What their gas has cost, in wei.
    pub gas: U256,
    /// What they have paid for items of the queue, or earned by settling some, in wei.
    pub items: U256,
    pub earned: U256,
}

/// The keys of all of them.
pub fn keys() -> Keys {
    Keys::new(SEED, NAMES.len())
}

/// The vault into which somebody pays an asset before the first batch.
pub fn vault(who: usize, asset: Asset) -> Index {
    let mut deposits = (0..).zip(DEPOSITS);
    let found = deposits.find(|(_, (person, of, _))| (*person, *of) == (who, asset));
    found.map_or(Index::MAX, |(index, _)| index)
}

/// Makes the people, with coin and token on the base chain; the operator is at an address of its own.
pub async fn people(anvil: &Anvil, token: Address, operator: Address) -> Result<Vec<Person>> {
    let keys = keys();
    let mut people = vec![];
    for (number, name) in NAMES.into_iter().enumerate() {
        let account = keys.get(number).clone();
        let address = match number {
            OPERATOR => operator,
            _ => Address::from(account.exit_address.0),
        };
        let ether = U256::from(ETHER) * U256::from(GWEI);
        anvil.fund(address, U256::from(WEALTH) * ether).await?;
        if number != OPERATOR {
            let amount = U256::from(WEALTH * 1_000 * DOLLARS);
            let mint = IToken::mintCall {
                to: address,
                amount,
            };
            // Somebody else pays for it.
            let data = mint.abi_encode().into();
            anvil.send(operator, Some(token), U256::ZERO, data).await?;
        }
        people.push(Person {
            name,
            address,
            account,
            start: [U256::ZERO; 2],
            paid_in: [0; 2],
            paid_out: [0; 2],
            gas: U256::ZERO,
            items: U256::ZERO,
            earned: U256::ZERO,
        });
    }
    for person in &mut people {
        person.start = person.balances(anvil, token).await?;
    }
    Ok(people)
}

impl Person {
    /// The elements of their public key.
    pub fn key(&self) -> [u64; 5] {
        key_elements(&self.account.public_key())
    }

    /// What they have now, of coin in wei and of the token in units.
    pub async fn balances(&self, anvil: &Anvil, token: Address) -> Result<[U256; 2]> {
        let account = self.address;
        let units = anvil.ask(token, &IToken::balanceOfCall { account }).await?;
        Ok([anvil.balance(account).await?, units])
    }

    /// Calls a contract, and notes the gas.
    pub async fn call<C: SolCall>(
        &mut self,
        anvil: &Anvil,
        to: Address,
        wei: U256,
        call: &C,
    ) -> Result<u64> {
        let data = call.abi_encode().into();
        let mined = anvil.send(self.address, Some(to), wei, data).await?;
        self.gas += mined.cost;
        Ok(mined.gas)
    }

    /// Pays units of an asset into their vault.
    pub async fn deposit(
        &mut self,
        anvil: &Anvil,
        [rollup, token]: [Address; 2],
        asset: Asset,
        amount: u64,
    ) -> Result<u64> {
        let price = anvil.ask(rollup, &itemPriceCall {}).await?;
        let mut wei = price;
        if asset == COIN {
            wei += U256::from(amount) * U256::from(GWEI);
        } else {
            let (spender, amount) = (rollup, U256::from(amount));
            let approve = IToken::approveCall { spender, amount };
            self.call(anvil, token, U256::ZERO, &approve).await?;
        }
        let owner = self.account.owner(F::from_u64(CHAIN_ID));
        let call = depositCall {
            asset: asset as u32,
            amount,
            fee: 0,
            owner: word(&owner),
        };
        self.items += price;
        self.paid_in[asset as usize] += amount;
        self.call(anvil, rollup, wei, &call).await
    }

    /// Asks for the whole of a vault, whatever the operator does.
    pub async fn request_exit(
        &mut self,
        anvil: &Anvil,
        rollup: Address,
        index: Index,
    ) -> Result<u64> {
        let price = anvil.ask(rollup, &itemPriceCall {}).await?;
        let key = self.key();
        self.items += price;
        let call = requestExitCall { index, key };
        self.call(anvil, rollup, price, &call).await
    }
}
