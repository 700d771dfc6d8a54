//! The trace of the deposit rule.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{DepositColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::lookup_events::LookupEvents;
use crate::witness_rows::DepositRow;
use shardfold_protocol::field::F;

/// Returns one row per deposit; hashes and range checks are noted in `events`.
///
/// # Errors
///
/// More deposits than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[DepositRow],
    chain_id: F,
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("deposit", WIDTH, log_height, steps, |step, row| {
        let row = DepositColumns::of(row);
        let DepositRow { clock, body, .. } = *step;
        *row.is_real = F::ONE;
        *row.clock = F::from_u32(clock);
        *row.nonce = F::from_u64(body.nonce);
        *row.asset = F::from_u32(body.asset);
        write(row.owner, body.owner);
        row.amount.fill(body.amount, events)?;
        row.to.fill(&step.to, clock, events)?;
        row.fee.fill(body.fee, events)?;
        let mut blocks = row.payload.into_iter().chain(row.digest);
        let mut compress = |input: &[F; 8]| events.compress_into(input, &mut blocks);
        let payload = body.payload_with(chain_id, &mut compress);
        // Every block's digest is written on the way to the last.
        let _ = body.digest_with(&payload, compress);
        Ok(())
    })
}
