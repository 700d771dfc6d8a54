//! The rule of a repayment.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::Market;
use crate::lending::position::Position;
use crate::lending::reasons::{TOO_MUCH, ZERO};
use crate::lending::signing::Signing;
use crate::machine::{Machine, Rule};

/// Pays shares of a debt back.
#[derive(Clone, Copy, Debug)]
pub struct RepayLaw;

/// Reasons of a repayment.
pub mod reasons {
    use crate::machine::Reason;

    /// Shares that are no number of them.
    pub static REPAID: Reason =
        Reason::new("repaid", "found {found} shares, expected less than 2^62");
}

impl Law for RepayLaw {
    fn name(&self) -> &'static str {
        "repay"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, position_at] = m.words();
        let shares = m.integer(AMOUNT_BITS, &reasons::REPAID)?;
        let limit = m.word();
        let words = [&at, &position_at, &shares, &limit].map(Clone::clone);
        m.nonzero(shares.clone(), &ZERO)?;
        let (market_taken, mut market) = Market::take(m, &at)?;
        let signing = Signing::read(m, Domain::Repay, &words, &market.loan)?;

        let paid = market.pay_back(m, &shares)?;
        m.range(&(limit - paid.clone()), AMOUNT_BITS, &TOO_MUCH)?;
        market.write(m, market_taken);
        let owner = signing.pay(m, paid)?;
        let (taken, mut position) = Position::take(m, &position_at, &at, Some(owner))?;
        position.reduce_debt(m, shares)?;
        position.write(m, taken);
        Ok(nothing())
    }
}
