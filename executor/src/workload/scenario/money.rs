//! Statements about money alone: `pay`, `deposit`, `withdraw`.

use serde::Deserialize;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_protocol::address::{ADDRESS_BYTES, Address};

use super::error::{Fault, Wrong};
use super::form::Text;
use super::stage::{Stage, Statement, Stop};

/// The base chain of all scenarios.
const BASE_CHAIN: u32 = 1;

/// `pay = "1 ETH"`, `to = "bob"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PayForm {
    pay: Text,
    to: Text,
}

impl Statement for PayForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let money = stage.world.money(&self.pay)?;
        let asset = money.token.number;
        let receiver = stage.world.who(&self.to)?;
        let from = stage.own(asset)?;
        let body = Transfer {
            from,
            to: stage.world.place(receiver, asset),
            to_owner: stage.world.person(receiver).owner,
            asset,
            amount: money.amount,
            fee: stage.fee(&money.token)?,
            nonce: stage.nonce_and_balance(from).0,
        };
        stage.sign(&body)
    }
}

/// `deposit = "1 ETH"`: the next item of the base chain's queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DepositForm {
    deposit: Text,
}

impl Statement for DepositForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let money = stage.world.money(&self.deposit)?;
        let body = Deposit {
            base_chain: BASE_CHAIN,
            to: stage.own(money.token.number)?,
            owner: stage.actor()?.owner,
            asset: money.token.number,
            amount: money.amount,
            fee: stage.fee(&money.token)?,
            position: stage.ledger.queue_count(),
        };
        stage.unsigned(&body)
    }
}

/// `withdraw = "1 ETH"`, and `to` an address of the base chain or the exit address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawForm {
    withdraw: Text,
    to: Option<Text>,
}

impl Statement for WithdrawForm {
    fn play(&self, stage: &mut Stage<'_, '_>) -> Result<(), Stop> {
        let money = stage.world.money(&self.withdraw)?;
        let from = stage.own(money.token.number)?;
        let address = match &self.to {
            Some(text) => address(text)?,
            None => stage.actor()?.account.exit_address,
        };
        let body = Withdraw {
            from,
            asset: money.token.number,
            amount: money.amount,
            fee: stage.fee(&money.token)?,
            nonce: stage.nonce_and_balance(from).0,
            base_chain: BASE_CHAIN,
            address,
        };
        stage.sign(&body)
    }
}

fn address(text: &Text) -> Result<Address, Wrong> {
    let mut bytes = [0; ADDRESS_BYTES];
    let digits = text.text.strip_prefix("0x").unwrap_or(&text.text);
    let decoded = hex::decode_to_slice(digits, &mut bytes);
    decoded.map_err(|_| {
        let found = text.shown();
        text.wrong(Fault::Address { found })
    })?;
    Ok(Address(bytes))
}
