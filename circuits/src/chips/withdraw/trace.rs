//! The trace of the withdrawal rule.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{WIDTH, WithdrawColumns};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::lookup_events::LookupEvents;
use crate::witness_rows::WithdrawRow;
use shardfold_protocol::field::F;

/// Returns one row per withdrawal; hashes and range checks are noted in `events`.
///
/// # Errors
///
/// More withdrawals than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[WithdrawRow],
    chain_id: F,
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("withdraw", WIDTH, log_height, steps, |step, row| {
        let row = WithdrawColumns::of(row);
        let WithdrawRow { clock, body, .. } = *step;
        *row.is_real = F::ONE;
        *row.clock = F::from_u32(clock);
        row.amount.fill(body.amount, events)?;
        row.from.fill(&step.from, clock, events)?;
        row.fee.fill(body.fee, events)?;
        *row.base_chain = F::from_u32(body.base_chain);
        write(row.address, body.address.elements());
        let mut blocks = row.payload.into_iter().chain(row.digest);
        let mut compress = |input: &[F; 8]| events.compress_into(input, &mut blocks);
        let payload = body.payload_with(chain_id, &mut compress);
        // Every block's digest is written on the way to the last.
        let _ = body.digest_with(&payload, compress);
        Ok(())
    })
}
