//! The trace of the transfer rule.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{TransferColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::lookup_events::LookupEvents;
use crate::witness_rows::TransferRow;
use shardfold_protocol::field::F;

/// Returns one row per transfer; hashes and range checks are noted in `events`.
///
/// # Errors
///
/// More transfers than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[TransferRow],
    chain_id: F,
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("transfer", WIDTH, log_height, steps, |step, row| {
        let row = TransferColumns::of(row);
        let TransferRow { clock, body, .. } = *step;
        *row.is_real = F::ONE;
        *row.clock = F::from_u32(clock);
        row.amount.fill(body.amount, events)?;
        row.from.fill(&step.from, clock, events)?;
        row.to.fill(&step.to, clock, events)?;
        row.fee.fill(body.fee, events)?;
        write(row.to_owner, body.to_owner);
        let mut blocks = row.blocks.into_iter();
        // Every block's digest is written on the way to the last.
        let _ = body.digest_with(chain_id, |input| events.compress_into(input, &mut blocks));
        Ok(())
    })
}
