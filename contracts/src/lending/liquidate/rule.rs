//! The rule of a liquidation.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::health::Health;
use crate::lending::market::{Market, Side};
use crate::lending::position::Position;
use crate::lending::reasons::{QUOTIENT, TOO_MUCH, VALUE, ZERO};
use crate::lending::signing::Signing;
use crate::lending::terms::{Terms, price};
use crate::lending::{PPM, constant};
use crate::machine::{Machine, Rule};
use crate::vaults::{Credit, put};

/// Pays shares of a debt that is not covered, for collateral at a discount.
#[derive(Clone, Copy, Debug)]
pub struct LiquidateLaw;

/// Reasons of a liquidation.
pub mod reasons {
    use crate::machine::Reason;

    /// Collateral that is no amount.
    pub static SEIZED: Reason = Reason::new(
        "seized",
        "found a seizure of {found}, expected less than 2^62",
    );
    /// A position that may not be liquidated.
    pub static HEALTHY: Reason = Reason::new(
        "healthy",
        "found a position whose debt is covered: {found} and one more are owed than may be",
    );
    /// Less than the collateral is worth.
    pub static UNDERPAID: Reason = Reason::new(
        "underpaid",
        "found {found} shares more than the seized collateral is worth, expected 0 or more",
    );
}

/// What a liquidation says besides who signs.
struct Words<E> {
    market: E,
    position: E,
    price: E,
    to: E,
    seized: E,
    shares: E,
    limit: E,
}

impl<E: Clone> Words<E> {
    fn read<M: Machine<E = E>>(m: &mut M) -> Rule<Self> {
        let [market, position, price, to] = m.words();
        let seized = m.integer(AMOUNT_BITS, &reasons::SEIZED)?;
        let [shares, limit] = m.words();
        m.nonzero(seized.clone(), &ZERO)?;
        m.nonzero(shares.clone(), &ZERO)?;
        Ok(Self {
            market,
            position,
            price,
            to,
            seized,
            shares,
            limit,
        })
    }

    fn all(&self) -> [E; 7] {
        let Self {
            market,
            position,
            price,
            to,
            seized,
            shares,
            limit,
        } = self;
        [market, position, price, to, seized, shares, limit].map(Clone::clone)
    }
}

impl Law for LiquidateLaw {
    fn name(&self) -> &'static str {
        "liquidate"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let words = Words::read(m)?;
        let (market_taken, mut market) = Market::take(m, &words.market)?;
        let signing = Signing::read(m, Domain::Liquidate, &words.all(), &market.loan)?;
        let (taken, mut position) = Position::take(m, &words.position, &words.market, None)?;
        let terms = Terms::with_price(m, &words.market, &words.price)?;
        let price = price(m, &words.price, &M::E::ONE)?;

        let debt = (&position.debt, &market.borrowed);
        let health = Health::of(m, (&position.collateral, &price, &terms), debt)?;
        health.is_bad(m, &reasons::HEALTHY)?;
        // What is needed is an integer, so the shares are one too: at most twice 2^62.
        let needed = needed(m, &words.seized, (&price, &terms), &market.borrowed)?;
        let above = words.shares.clone() - needed;
        m.range(&above, AMOUNT_BITS, &reasons::UNDERPAID)?;

        position.reduce_debt(m, words.shares.clone())?;
        position.add_collateral(m, -words.seized.clone())?;
        let paid = market.pay_back(m, &words.shares)?;
        m.range(&(words.limit - paid.clone()), AMOUNT_BITS, &TOO_MUCH)?;
        write_bad_debt_off(m, &mut market, &mut position)?;
        market.write(m, market_taken);
        position.write(m, taken);

        let owner = signing.pay(m, paid)?;
        let gain = Credit {
            index: words.to,
            owner,
            asset: terms.collateral,
            amount: words.seized,
        };
        put(m, gain)?;
        Ok(nothing())
    }
}

/// How many shares of the debt the collateral is worth, less the bonus: each time rounded up.
fn needed<M: Machine>(
    m: &mut M,
    seized: &M::E,
    (price, terms): (&M::E, &Terms<M::E>),
    borrowed: &Side<M::E>,
) -> Rule<M::E> {
    let worth = m.mul_div(seized, price, &terms.scale, true, &VALUE)?;
    let ppm = constant::<M>(PPM);
    let due = m.mul_div(&worth, &ppm, &terms.bonus, true, &QUOTIENT)?;
    borrowed.shares_for(m, &due, true)
}

/// A position without collateral owes nothing any more: the suppliers lose it.
fn write_bad_debt_off<M: Machine>(
    m: &mut M,
    market: &mut Market<M::E>,
    position: &mut Position<M::E>,
) -> Rule<()> {
    let is_bare = m.is_zero(position.collateral.clone());
    let lost = m.product(&is_bare, &position.debt);
    market.write_off(m, &lost)?;
    position.debt -= lost;
    Ok(())
}
