//! The rule of a taking back of collateral.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::health::Health;
use crate::lending::market::Market;
use crate::lending::position::Position;
use crate::lending::reasons::{MARKET_TIME, ZERO};
use crate::lending::signing::Signing;
use crate::lending::terms::{Terms, price};
use crate::machine::{Machine, Rule};
use crate::vaults::reasons::AMOUNT;

/// Takes collateral back, as far as the rest covers the debt.
#[derive(Clone, Copy, Debug)]
pub struct TakeLaw;

impl Law for TakeLaw {
    fn name(&self) -> &'static str {
        "take"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, position_at, price_at] = m.words();
        let amount = m.integer(AMOUNT_BITS, &AMOUNT)?;
        let words = [&at, &position_at, &price_at, &amount].map(Clone::clone);
        m.nonzero(amount.clone(), &ZERO)?;
        let terms = Terms::with_price(m, &at, &price_at)?;
        let signing = Signing::read(m, Domain::Take, &words, &terms.collateral)?;
        let owner = signing.pay(m, -amount.clone())?;
        let (taken, mut position) = Position::take(m, &position_at, &at, Some(owner))?;
        position.add_collateral(m, -amount)?;

        // Without a debt neither the market's time nor the price matters.
        let owes = M::E::ONE - m.is_zero(position.debt.clone());
        let market = Market::read(m, &at)?;
        let late = (m.now() - market.time) * owes.clone();
        m.equal(late, M::E::ZERO, &MARKET_TIME)?;
        let price = price(m, &price_at, &owes)?;
        let counted = m.product(&owes, &position.collateral);
        let debt = (&position.debt, &market.borrowed);
        Health::of(m, (&counted, &price, &terms), debt)?.is_good(m)?;
        position.write(m, taken);
        Ok(nothing())
    }
}
