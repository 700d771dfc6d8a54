//! The rule of a price.

use p3_field::{Field as _, PrimeCharacteristicRing};
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::KIND_PRICE;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::{PRICE_DELAY_BITS, PRICE_LIMIT, constant};
use crate::machine::{Machine, Part, Rule, Use};

use Part::{Any, Is};

/// Writes a price that its feeder has signed, or opens it.
#[derive(Clone, Copy, Debug)]
pub struct PriceLaw;

/// Bits of the seconds between a price and the one before.
const TIME_BITS: u32 = 48;

/// Reasons of a price.
pub mod reasons {
    use crate::machine::Reason;

    /// A price of nothing, or too high.
    pub static PRICE: Reason = Reason::new(
        "price",
        "found a price that is {found} away from a bound, expected 1 to 2^61 - 1",
    );
    /// A time that has not come, or is long past.
    pub static DELAY: Reason = Reason::new(
        "price-delay",
        "found a price of {found} seconds ago, expected 0 to 2^16 - 1",
    );
    /// Something else than a price at the index.
    pub static KIND: Reason = Reason::new(
        "price-kind",
        "found a record that is no price where one is written",
    );
    /// Another feeder's price.
    pub static FEEDER: Reason = Reason::new(
        "feeder",
        "found a price of another feeder (digest element {found}), expected {expected}",
    );
    /// A price that is not later than the one before.
    pub static ORDER: Reason = Reason::new(
        "price-order",
        "found a price whose time is {found} seconds and one after that of the last one, expected 0 or more",
    );
    /// A price too far from the one before.
    pub static STEP: Reason = Reason::new(
        "price-step",
        "found a price more than twice as high, or low, as the last one, by {found}",
    );
}

/// What is read of a price that is there, or of nothing.
struct Last<E> {
    is_there: E,
    price: E,
    time: E,
}

impl Law for PriceLaw {
    fn name(&self) -> &'static str {
        "price"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [index, price, time] = m.words();
        let feeder: [M::E; 4] = m.words();
        let [o0, o1, o2, o3] = feeder.clone();
        let body = [index.clone(), price.clone(), time.clone(), o0, o1, o2, o3];
        let digest = m.hash(Domain::Price, &body);
        m.signed(&feeder, &digest)?;

        // From 1, and below the limit.
        let above = price.clone() - F::ONE;
        let below = constant::<M>(PRICE_LIMIT - 1) - price.clone();
        m.range(&above, AMOUNT_BITS, &reasons::PRICE)?;
        m.range(&below, AMOUNT_BITS, &reasons::PRICE)?;
        let delay = m.now() - time.clone();
        m.range(&delay, PRICE_DELAY_BITS, &reasons::DELAY)?;

        let zero = Is(M::E::ZERO, &reasons::KIND);
        let record = [Any, Any, Any, zero, Any, Any, Any, Any];
        let (taken, found) = m.take(&index, Use::Write, record)?;
        let last = last(m, found, &feeder)?;
        let since = time.clone() - last.time - F::ONE;
        m.range(&since, TIME_BITS, &reasons::ORDER)?;
        // At most twice and at least half of the last one, if there is one.
        let room = (last.price.clone().double() - price.clone()) * last.is_there;
        m.range(&room, AMOUNT_BITS, &reasons::STEP)?;
        let room = price.clone().double() - last.price;
        m.range(&room, AMOUNT_BITS, &reasons::STEP)?;

        let [o0, o1, o2, o3] = feeder;
        let kind = constant::<M>(KIND_PRICE);
        m.write(taken, [kind, price, time, M::E::ZERO, o0, o1, o2, o3]);
        Ok(nothing())
    }
}

/// The record is a price of this feeder, or nothing, with price and time of zero.
fn last<M: Machine>(m: &mut M, found: [M::E; 8], feeder: &[M::E; 4]) -> Rule<Last<M::E>> {
    let [kind, price, time, _, its_feeder @ ..] = found;
    let is_there = kind * F::from_u64(KIND_PRICE).inverse();
    m.flag(&is_there, &reasons::KIND)?;
    let is_empty = M::E::ONE - is_there.clone();
    for value in [&price, &time] {
        m.equal(is_empty.clone() * value.clone(), M::E::ZERO, &reasons::KIND)?;
    }
    for (found, named) in its_feeder.into_iter().zip(feeder) {
        m.equal(found, named.clone() * is_there.clone(), &reasons::FEEDER)?;
    }
    Ok(Last {
        is_there,
        price,
        time,
    })
}
