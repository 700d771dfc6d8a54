//! Is everybody's money where it should be? On the base chain to the wei, on the ledger to the unit.

use alloy_primitives::{Address, U256};
use anyhow::{Result, bail};
use p3_field::PrimeField64 as _;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, KIND_VAULT,
};
use shardfold_protocol::state::State;
use shardfold_submitter::anvil::Anvil;

use super::people::{COIN, DOLLAR, DOLLARS, GWEI, IToken, Person, keys};
use crate::output::Printer;

const WEI_DIGITS: usize = 18;
const DOLLAR_DIGITS: usize = 6;

/// Prints the table, and checks every line of it.
pub async fn check(
    anvil: &Anvil,
    [rollup, token]: [Address; 2],
    people: &[Person],
    state: &State,
    printer: Printer,
) -> Result<()> {
    let mut wrong = vec![];
    printer.line(format_args!(
        "{:<9} {:>26} {:>26} {:>15} {:>15}  {:>24}",
        "",
        "coin before",
        "coin after",
        "dollars before",
        "dollars after",
        "in vaults: coin, dollars"
    ));
    let held = [COIN, DOLLAR].map(|asset| held(state, asset));
    let mut rest = held;
    for (number, person) in people.iter().enumerate() {
        let found = person.balances(anvil, token).await?;
        if found != expected(person) {
            wrong.push(person.name.to_owned());
        }
        let own = [COIN, DOLLAR].map(|asset| vaults(state, number, asset));
        for (rest, own) in rest.iter_mut().zip(own) {
            *rest -= own;
        }
        let [coins, dollars] = own.map(U256::from);
        printer.line(format_args!(
            "{:<9} {:>26} {:>26} {:>15} {:>15}  {:>12} {:>11}",
            person.name,
            decimal(person.start[0], WEI_DIGITS),
            decimal(found[0], WEI_DIGITS),
            decimal(person.start[1], DOLLAR_DIGITS),
            decimal(found[1], DOLLAR_DIGITS),
            decimal(coins, 9),
            decimal(dollars, DOLLAR_DIGITS),
        ));
        explain(person, printer);
    }
    printer.line(format_args!(
        "          the rest, {} coins and {} dollars, lies in the pool, the market and its positions",
        decimal(U256::from(rest[0]), 9),
        decimal(U256::from(rest[1]), DOLLAR_DIGITS),
    ));
    let held = held.map(U256::from);
    let account = rollup;
    let has = [
        anvil.balance(rollup).await?,
        anvil.ask(token, &IToken::balanceOfCall { account }).await?,
    ];
    let owes = [held[0] * U256::from(GWEI), held[1]];
    if has != owes {
        wrong.push("the contract".to_owned());
    }
    printer.line(format_args!(
        "the contract has {} coins and {} dollars; the ledger's records hold {} and {}",
        decimal(has[0], WEI_DIGITS),
        decimal(has[1], DOLLAR_DIGITS),
        decimal(owes[0], WEI_DIGITS),
        decimal(owes[1], DOLLAR_DIGITS),
    ));
    if !wrong.is_empty() {
        bail!(
            "the balances of {} are not those expected",
            wrong.join(", ")
        );
    }
    printer.line(format_args!("it adds up, to the wei and to the unit"));
    Ok(())
}

/// What somebody must have on the base chain.
fn expected(person: &Person) -> [U256; 2] {
    let units = |asset: Asset, digits: u64| {
        let [paid_in, paid_out] =
            [person.paid_in, person.paid_out].map(|units| U256::from(units[asset as usize]));
        [paid_in, paid_out].map(|amount| amount * U256::from(digits))
    };
    let [coin_in, coin_out] = units(COIN, GWEI);
    let [dollar_in, dollar_out] = units(DOLLAR, 1);
    let [coins, dollars] = person.start;
    [
        coins + coin_out + person.earned - coin_in - person.items - person.gas,
        dollars + dollar_out - dollar_in,
    ]
}

fn explain(person: &Person, printer: Printer) {
    let coin = |units: u64| decimal(U256::from(units), 9);
    let dollars = |units: u64| format!("{} dollars", units / DOLLARS);
    let [coin_in, dollar_in] = person.paid_in;
    let [coin_out, dollar_out] = person.paid_out;
    printer.line(format_args!(
        "          paid in {} and {}, got out {} and {}, queue {}, gas {}, earned {}",
        coin(coin_in),
        dollars(dollar_in),
        coin(coin_out),
        dollars(dollar_out),
        decimal(person.items, WEI_DIGITS),
        decimal(person.gas, WEI_DIGITS),
        decimal(person.earned, WEI_DIGITS),
    ));
}

/// What somebody's vaults hold of an asset.
fn vaults(state: &State, who: usize, asset: Asset) -> u64 {
    let owner = keys().owner(who);
    let vaults = state.tree().records().into_iter();
    let vaults = vaults.filter_map(|(_, record)| record.vault());
    let own = vaults.filter(|vault| vault.owner == owner && vault.asset == asset);
    own.map(|vault| vault.balance).sum()
}

/// What all records together hold of an asset of the base chain: that is what the contract owes.
fn held(state: &State, asset: Asset) -> u64 {
    let tree = state.tree();
    let number = |index: Index, position: usize| tree.get(index).0[position].as_canonical_u64();
    let of = |index: Index| {
        let at = |position| number(index, position);
        match at(0) {
            KIND_VAULT | KIND_PAYOUT => vec![(at(1), at(2))],
            KIND_POOL => vec![(at(1), at(3)), (at(2), at(4))],
            // What was supplied and not lent.
            KIND_MARKET => vec![(at(6), at(1) - at(3))],
            // The terms, after the market, say what the collateral is.
            KIND_POSITION => vec![(number(at(1) as Index + 1, 1), at(2))],
            _ => vec![],
        }
    };
    let records = tree.records().into_iter();
    let parts = records.flat_map(|(index, _)| of(index));
    let parts = parts.filter(|(its, _)| *its == asset);
    parts.map(|(_, amount)| amount).sum()
}

/// A number with so many digits after its point, of which none is left out that is not zero.
fn decimal(number: U256, digits: usize) -> String {
    let text = format!("{number:0>width$}", width = digits + 1);
    let (whole, rest) = text.split_at(text.len() - digits);
    match rest.trim_end_matches('0') {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_whole() {
        assert_eq!(decimal(U256::from(1), 18), "0.000000000000000001");
        assert_eq!(decimal(U256::from(1_500_000), 6), "1.5");
        assert_eq!(decimal(U256::from(2_000_000), 6), "2");
        assert_eq!(decimal(U256::ZERO, 9), "0");
    }
}
