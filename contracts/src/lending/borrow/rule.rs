//! The rule of a loan.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::health::Health;
use crate::lending::market::Market;
use crate::lending::position::Position;
use crate::lending::reasons::{LIQUIDITY, TOO_MUCH, ZERO};
use crate::lending::signing::Signing;
use crate::lending::terms::{Terms, price};
use crate::machine::{Machine, Rule};
use crate::vaults::reasons::AMOUNT;

/// Borrows from a market, as far as the collateral covers the debt.
#[derive(Clone, Copy, Debug)]
pub struct BorrowLaw;

impl Law for BorrowLaw {
    fn name(&self) -> &'static str {
        "borrow"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, position_at, price_at] = m.words();
        let amount = m.integer(AMOUNT_BITS, &AMOUNT)?;
        let limit = m.word();
        let words = [&at, &position_at, &price_at, &amount, &limit].map(Clone::clone);
        m.nonzero(amount.clone(), &ZERO)?;
        let (market_taken, mut market) = Market::take(m, &at)?;
        let signing = Signing::read(m, Domain::Borrow, &words, &market.loan)?;
        let owner = signing.pay(m, -amount.clone())?;

        let shares = market.borrowed.shares_for(m, &amount, true)?;
        m.range(&(limit - shares.clone()), AMOUNT_BITS, &TOO_MUCH)?;
        market.borrowed.assets += amount;
        let left = market.supplied.assets.clone() - market.borrowed.assets.clone();
        m.range(&left, AMOUNT_BITS, &LIQUIDITY)?;
        market.borrowed.add_shares(m, shares.clone())?;

        let (taken, mut position) = Position::take(m, &position_at, &at, Some(owner))?;
        position.debt += shares;
        let terms = Terms::with_price(m, &at, &price_at)?;
        let price = price(m, &price_at, &M::E::ONE)?;
        let debt = (&position.debt, &market.borrowed);
        Health::of(m, (&position.collateral, &price, &terms), debt)?.is_good(m)?;
        market.write(m, market_taken);
        position.write(m, taken);
        Ok(nothing())
    }
}
