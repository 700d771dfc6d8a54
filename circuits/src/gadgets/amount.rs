//! Integers in limbs of 16 bits: amounts and balances below 2^62.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;

use crate::bus::{ChipBuilder, RangeBus};
use crate::cells::{Cells, write};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

const LIMB_BITS: usize = 16;
/// What brings the top limb of an amount, of 14 bits, to 16.
const TOP_LIMB_SCALE: u32 = 4;

/// An amount or a balance: value = limb 0 + 2^16 limb 1 + 2^32 limb 2 + 2^48 limb 3.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct AmountColumns<T> {
    /// Three limbs of 16 bits and one of 14, the least significant first.
    pub limbs: [T; 4],
}

impl<T> AmountColumns<T> {
    /// Names the next cells.
    pub fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            limbs: cells.array(),
        }
    }
}

impl AmountColumns<&mut F> {
    /// Writes the limbs and notes their range checks.
    ///
    /// # Errors
    ///
    /// The value is 2^62 or more.
    pub fn fill(self, value: u64, events: &mut LookupEvents) -> Result<(), TraceError> {
        let limbs = limbs(value, AMOUNT_BITS)?;
        write(self.limbs, limbs.map(F::from_u16));
        events.range.extend(limbs);
        events.range.push(limbs[3] * TOP_LIMB_SCALE as u16);
        Ok(())
    }
}

/// Returns the integer that the limbs stand for; of degree 1.
pub fn value<AB: ChipBuilder>(limbs: &[AB::Var]) -> AB::Expr {
    let base = F::from_u32(1 << LIMB_BITS);
    limbs
        .iter()
        .rev()
        .fold(AB::Expr::ZERO, |sum, &limb| sum * base + limb)
}

/// The amount is below 2^62. Caller: `is_real` is boolean.
pub fn check<AB: ChipBuilder>(
    builder: &mut AB,
    amount: &AmountColumns<AB::Var>,
    is_real: AB::Expr,
) {
    check_limbs(builder, &amount.limbs, is_real.clone());
    // A quarter of a 16-bit value that is itself of 16 bits has 14 bits.
    let top: AB::Expr = amount.limbs[3].into();
    RangeBus::check(builder, top * F::from_u32(TOP_LIMB_SCALE), is_real);
}

/// Every limb is below 2^16. Caller: `is_real` is boolean.
pub fn check_limbs<AB: ChipBuilder>(builder: &mut AB, limbs: &[AB::Var], is_real: AB::Expr) {
    for &limb in limbs {
        RangeBus::check(builder, limb.into(), is_real.clone());
    }
}

/// Returns the limbs of a value of so many bits, at most 16 for each limb.
///
/// # Errors
///
/// The value has more bits.
pub fn limbs<const N: usize>(value: u64, bits: u32) -> Result<[u16; N], TraceError> {
    if value >> bits != 0 {
        return Err(TraceError::OutOfRange { value, bits });
    }
    // The cast keeps the low 16 bits, which is what a limb is.
    Ok(core::array::from_fn(|i| (value >> (LIMB_BITS * i)) as u16))
}
