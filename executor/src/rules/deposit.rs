//! A deposit: `to` gains the amount that the base chain's queue says was paid in.

use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::transaction::Deposit;

use super::Effect;
use super::steps::{Receipt, check_amounts, fee_effect, receive};
use crate::reject::Reject;

pub(super) fn apply(
    deposit: &Deposit,
    deposit_count: u64,
    read: impl Fn(Index) -> Record,
) -> Result<Effect, Reject> {
    let Deposit {
        to,
        owner,
        asset,
        amount,
        fee,
        nonce,
    } = *deposit;
    check_amounts(amount, fee.amount)?;
    if nonce != deposit_count {
        return Err(Reject::DepositOrder {
            found: nonce,
            expected: deposit_count,
        });
    }
    let receipt = Receipt {
        to,
        owner,
        asset,
        amount,
    };
    let receiver = receive(&receipt, &read(to))?;
    let effect = Effect {
        sender: None,
        receiver: Some((to, receiver)),
        fee: fee_effect(fee),
    };
    effect.check_fee(asset, read)
}
