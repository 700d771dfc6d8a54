//! A transfer: `from` pays amount and fee, `to` gains the amount.

use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::transaction::Transfer;

use super::Effect;
use super::steps::{Receipt, Spending, check_amounts, fee_effect, receive, spend};
use crate::prepare::Authority;
use crate::reject::Reject;

pub(super) fn apply(
    transfer: &Transfer,
    authority: &Authority,
    read: impl Fn(Index) -> Record,
) -> Result<Effect, Reject> {
    let Transfer {
        from,
        to,
        to_owner,
        asset,
        amount,
        fee,
        nonce,
    } = *transfer;
    check_amounts(amount, fee.amount)?;
    if from == to {
        return Err(Reject::SelfTransfer { index: from });
    }
    let spending = Spending {
        from,
        asset,
        nonce,
        total: amount + fee.amount,
    };
    let sender = spend(&spending, authority, &read(from))?;
    let receipt = Receipt {
        to,
        owner: to_owner,
        asset,
        amount,
    };
    let receiver = receive(&receipt, &read(to))?;
    let effect = Effect {
        sender: Some((from, sender)),
        receiver: Some((to, receiver)),
        fee: fee_effect(fee),
    };
    effect.check_fee(asset, read)
}
