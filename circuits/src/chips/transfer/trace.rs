//! The trace of the transfer rule.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{TransferColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::replay::TransferStep;
use crate::requests::Requests;
use shardfold_protocol::field::F;

/// One row per transfer; hashes and range checks are noted in `requests`.
///
/// # Errors
///
/// More transfers than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[TransferStep],
    chain_id: F,
    log_height: usize,
    requests: &mut Requests,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("transfer", WIDTH, log_height, steps, |step, row| {
        let row = TransferColumns::of(row);
        let TransferStep { clock, body, .. } = *step;
        *row.is_real = F::ONE;
        *row.clock = F::from_u32(clock);
        row.amount.fill(body.amount, requests)?;
        row.from.fill(&step.from, clock, requests)?;
        row.to.fill(&step.to, clock, requests)?;
        row.fee.fill(body.fee, requests)?;
        write(row.to_owner, body.to_owner);
        let mut blocks = row.blocks.into_iter();
        // Every block's digest is written on the way to the last.
        let _ = body.digest_with(chain_id, |input| requests.compress_into(input, &mut blocks));
        Ok(())
    })
}
