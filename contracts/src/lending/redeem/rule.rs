//! The rule of a redemption.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::Market;
use crate::lending::reasons::{LIMIT, LIQUIDITY, TOO_LITTLE, ZERO};
use crate::lending::signing::Signing;
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::{Debit, debit, shares_of};

/// Gives shares of a market back, for what was supplied.
#[derive(Clone, Copy, Debug)]
pub struct RedeemLaw;

/// Reasons of a redemption.
pub mod reasons {
    use crate::machine::Reason;

    /// Shares that are no number of them.
    pub static REDEEMED: Reason =
        Reason::new("redeemed", "found {found} shares, expected less than 2^62");
}

impl Law for RedeemLaw {
    fn name(&self) -> &'static str {
        "redeem"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[
            Total::Gain {
                name: "received",
                vault: "vault",
            },
            Total::Loss {
                name: "shares",
                vault: "share_vault",
            },
        ]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, share_vault] = m.words();
        let shares = m.integer(AMOUNT_BITS, &reasons::REDEEMED)?;
        let limit = m.integer(AMOUNT_BITS, &LIMIT)?;
        let words = [&at, &share_vault, &shares, &limit].map(Clone::clone);
        let (taken, mut market) = Market::take(m, &at)?;
        let signing = Signing::read(m, Domain::Redeem, &words, &market.loan)?;

        // Nothing is nothing's share.
        let amount = market.supplied.assets_for(m, &shares, false)?;
        m.nonzero(amount.clone(), &ZERO)?;
        m.range(&(amount.clone() - limit), AMOUNT_BITS, &TOO_LITTLE)?;
        market.supplied.assets -= amount.clone();
        market.supplied.shares -= shares.clone();
        let left = market.supplied.assets.clone() - market.borrowed.assets.clone();
        m.range(&left, AMOUNT_BITS, &LIQUIDITY)?;
        market.write(m, taken);
        let owner = signing.pay(m, -amount)?;
        let loss = Debit {
            index: share_vault,
            owner,
            asset: shares_of::<M>(&at),
            amount: shares,
        };
        debit(m, loss)?;
        Ok(nothing())
    }
}
