//! A transaction's fee, paid on the fee bus.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::transaction::FeePayment;

use super::amount;
use crate::bus::{ChipBuilder, FeeBus};
use crate::cells::{Cells, write};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// The fee and the vault that earns it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FeeColumns<T> {
    /// fee = limb 0 + 2^16 limb 1 + 2^32 limb 2; zero on padding rows.
    pub limbs: [T; 3],
    /// Where the operator's vault lies; free when there is no fee.
    pub vault: T,
}

impl<T> FeeColumns<T> {
    /// Names the next cells.
    pub fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            limbs: cells.array(),
            vault: cells.one(),
        }
    }
}

impl FeeColumns<&mut F> {
    /// Writes the columns of one fee and notes its range checks.
    ///
    /// # Errors
    ///
    /// The fee is 2^48 or more.
    pub fn fill(self, fee: FeePayment, events: &mut LookupEvents) -> Result<(), TraceError> {
        write(self.limbs, amount::fee_limbs(fee.amount, events)?);
        *self.vault = F::from_u32(fee.vault);
        Ok(())
    }
}

/// The fee goes to a vault of this asset.
///
/// Caller: `is_real` is boolean, fee and vault enter the transaction's digest, who pays is
/// debited (or, for a deposit, has paid on the base chain).
pub fn pay<AB: ChipBuilder>(
    builder: &mut AB,
    is_real: AB::Expr,
    fee: &FeeColumns<AB::Var>,
    asset: AB::Expr,
) {
    // A padding row pays nothing.
    let value = amount::value::<AB>(&fee.limbs);
    builder.assert_zero((AB::Expr::ONE - is_real.clone()) * value.clone());

    amount::check_limbs(builder, &fee.limbs, is_real);
    FeeBus::pay(builder, fee.vault.into(), asset, value);
}
