//! A market's terms, at the index after the market's, and the price that they name.

use p3_field::{Algebra, PrimeCharacteristicRing};
use shardfold_protocol::field::F;
use shardfold_protocol::record::{KIND_PRICE, KIND_TERMS};

use super::{PRICE_AGE, constant, reasons};
use crate::machine::{Machine, Part, Rule};

use Part::{Any, Is};

/// Bits of the seconds since a price, and of those for which it still serves.
const AGE_BITS: u32 = 16;

/// What a health check and a liquidation need of the terms.
pub(super) struct Terms<E> {
    pub collateral: E,
    pub lltv: E,
    pub bonus: E,
    pub scale: E,
}

/// What the terms' record must have where a rule names it.
pub(super) struct TermsParts<E> {
    pub price: Part<E>,
    pub rates: Part<E>,
    pub fee_vault: Part<E>,
}

impl<E: Algebra<F>> Terms<E> {
    /// Reads the terms of the market at an index.
    pub fn read<M: Machine<E = E>>(m: &mut M, market: &E, parts: TermsParts<E>) -> Rule<Self> {
        let TermsParts {
            price,
            rates,
            fee_vault,
        } = parts;
        let kind = Is(constant::<M>(KIND_TERMS), &reasons::TERMS);
        let record = [kind, Any, price, Any, Any, Any, rates, fee_vault];
        let found = m.read(&(market.clone() + F::ONE), record)?;
        let [_, collateral, _, lltv, bonus, scale, _, _] = found;
        Ok(Self {
            collateral,
            lltv,
            bonus,
            scale,
        })
    }

    /// Reads the terms, whose price lies at an index.
    pub fn with_price<M: Machine<E = E>>(m: &mut M, market: &E, price: &E) -> Rule<Self> {
        let parts = TermsParts {
            price: Is(price.clone(), &reasons::PRICE_INDEX),
            ..TermsParts::any()
        };
        Self::read(m, market, parts)
    }
}

impl<E> TermsParts<E> {
    /// Whatever they are.
    pub const fn any() -> Self {
        Self {
            price: Any,
            rates: Any,
            fee_vault: Any,
        }
    }
}

/// Reads the price at an index, which serves now; if `matters` (0 or 1) is 0, it may be too old.
pub(super) fn price<M: Machine>(m: &mut M, index: &M::E, matters: &M::E) -> Rule<M::E> {
    let kind = Is(constant::<M>(KIND_PRICE), &reasons::PRICE_KIND);
    let found = m.read(index, [kind, Any, Any, Any, Any, Any, Any, Any])?;
    let [_, price, time, ..] = found;
    let age = m.now() - time;
    let left = constant::<M>(PRICE_AGE) - age.clone();
    for seconds in [age, left] {
        let seconds = matters.clone() * seconds;
        m.range(&seconds, AGE_BITS, &reasons::PRICE_STALE)?;
    }
    Ok(price)
}
