//! The trace of the credit of fees.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::shape::FEE_CLOCK;

use super::columns::{FeeColumns, WIDTH};
use crate::cells::write;
use crate::chips::transaction::FeeRow;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns one row per fee vault; range checks are noted in `events`.
///
/// # Errors
///
/// More fee vaults than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[FeeRow],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("fee", WIDTH, log_height, steps, |step, row| {
        let row = FeeColumns::of(row);
        let [_, asset, balance, nonce, owner @ ..] = step.vault.before.0;
        *row.is_real = F::ONE;
        row.vault.fill(&step.vault, FEE_CLOCK, events)?;
        write([row.asset, row.balance, row.nonce], [asset, balance, nonce]);
        write(row.owner, owner);
        *row.total = F::from_u64(step.total);
        row.new_balance.fill(step.vault.new_balance, events)
    })
}
