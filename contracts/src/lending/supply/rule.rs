//! The rule of a supply.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::Market;
use crate::lending::reasons::{LIMIT, TOO_LITTLE, ZERO};
use crate::lending::signing::Signing;
use crate::lending::{SUPPLIED_SHARES_LIMIT, SUPPLY_LIMIT, constant};
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::reasons::AMOUNT;
use crate::vaults::{Credit, put, shares_of};

/// Supplies a loan asset to a market, for shares.
#[derive(Clone, Copy, Debug)]
pub struct SupplyLaw;

/// Reasons of a supply.
pub mod reasons {
    use crate::machine::Reason;

    /// A market that would be too large.
    pub static FULL: Reason = Reason::new(
        "full",
        "found that the market would have room for another {found}, expected 0 or more",
    );
}

impl Law for SupplyLaw {
    fn name(&self) -> &'static str {
        "supply"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[
            Total::Loss {
                name: "paid",
                vault: "vault",
            },
            Total::Gain {
                name: "shares",
                vault: "share_vault",
            },
        ]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, share_vault] = m.words();
        let amount = m.integer(AMOUNT_BITS, &AMOUNT)?;
        let limit = m.integer(AMOUNT_BITS, &LIMIT)?;
        let words = [&at, &share_vault, &amount, &limit].map(Clone::clone);
        let (taken, mut market) = Market::take(m, &at)?;
        let signing = Signing::read(m, Domain::Supply, &words, &market.loan)?;
        let owner = signing.pay(m, amount.clone())?;

        let shares = market.supplied.shares_for(m, &amount, false)?;
        m.nonzero(shares.clone(), &ZERO)?;
        m.range(&(shares.clone() - limit), AMOUNT_BITS, &TOO_LITTLE)?;
        market.supplied.assets += amount;
        let room = constant::<M>(SUPPLY_LIMIT - 1) - market.supplied.assets.clone();
        m.range(&room, AMOUNT_BITS, &reasons::FULL)?;
        market.supplied.shares += shares.clone();
        let all = market.supplied.whole().1;
        let room = constant::<M>(SUPPLIED_SHARES_LIMIT - 1) - all;
        m.range(&room, AMOUNT_BITS, &reasons::FULL)?;
        market.write(m, taken);
        let gain = Credit {
            index: share_vault,
            owner,
            asset: shares_of::<M>(&at),
            amount: shares,
        };
        put(m, gain)?;
        Ok(nothing())
    }
}
