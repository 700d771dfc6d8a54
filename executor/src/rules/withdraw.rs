//! A withdrawal: `from` pays amount and fee, and the amount is owed on the base chain.

use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::transaction::Withdraw;

use super::Effect;
use super::steps::{Spending, check_amounts, fee_effect, spend};
use crate::prepare::Authority;
use crate::reject::Reject;

pub(super) fn apply(
    withdraw: &Withdraw,
    authority: &Authority,
    read: impl Fn(Index) -> Record,
) -> Result<Effect, Reject> {
    let Withdraw {
        from,
        asset,
        amount,
        fee,
        nonce,
        ..
    } = *withdraw;
    check_amounts(amount, fee.amount)?;
    let spending = Spending {
        from,
        asset,
        nonce,
        total: amount + fee.amount,
    };
    let sender = spend(&spending, authority, &read(from))?;
    let effect = Effect {
        sender: Some((from, sender)),
        receiver: None,
        fee: fee_effect(fee),
    };
    effect.check_fee(asset, read)
}
