//! Whether a position's collateral covers its debt.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;

use super::market::Side;
use super::terms::Terms;
use super::{PPM, constant, reasons};
use crate::machine::{Machine, Reason, Rule};

/// How much a position owes, and how much it may. Both are integers below 2^62.
pub(super) struct Health<E> {
    pub may: E,
    pub owes: E,
}

impl<E: p3_field::Algebra<F>> Health<E> {
    /// Counts it for a collateral at a price, rounded down, and shares of a debt, rounded up. Caller: all
    /// are integers below 2^62.
    pub fn of<M: Machine<E = E>>(
        m: &mut M,
        (collateral, price, terms): (&E, &E, &Terms<E>),
        (debt, borrowed): (&E, &Side<E>),
    ) -> Rule<Self> {
        let worth = m.mul_div(collateral, price, &terms.scale, false, &reasons::VALUE)?;
        let ppm = constant::<M>(PPM);
        let may = m.mul_div(&worth, &terms.lltv, &ppm, false, &reasons::QUOTIENT)?;
        let owes = borrowed.assets_for(m, debt, true)?;
        Ok(Self { may, owes })
    }

    /// The collateral covers the debt.
    pub fn is_good<M: Machine<E = E>>(&self, m: &mut M) -> Rule<()> {
        let room = self.may.clone() - self.owes.clone();
        m.range(&room, AMOUNT_BITS, &reasons::UNHEALTHY)
    }

    /// The collateral does not cover the debt.
    pub fn is_bad<M: Machine<E = E>>(&self, m: &mut M, otherwise: &'static Reason) -> Rule<()> {
        let lacks = self.owes.clone() - self.may.clone() - F::ONE;
        m.range(&lacks, AMOUNT_BITS, otherwise)
    }
}
