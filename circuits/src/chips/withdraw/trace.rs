//! The trace of the withdrawal rule.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{WIDTH, WithdrawColumns};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::replay::WithdrawStep;
use crate::requests::Requests;
use shardfold_protocol::field::F;

/// One row per withdrawal; hashes and range checks are noted in `requests`.
///
/// # Errors
///
/// More withdrawals than rows, or a number that does not fit its limbs.
pub fn generate(
    steps: &[WithdrawStep],
    chain_id: F,
    log_height: usize,
    requests: &mut Requests,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("withdraw", WIDTH, log_height, steps, |step, row| {
        let row = WithdrawColumns::of(row);
        let WithdrawStep { clock, body, .. } = *step;
        *row.is_real = F::ONE;
        *row.clock = F::from_u32(clock);
        row.amount.fill(body.amount, requests)?;
        row.from.fill(&step.from, clock, requests)?;
        row.fee.fill(body.fee, requests)?;
        *row.base_chain = F::from_u32(body.base_chain);
        write(row.address, body.address_elements());
        let mut blocks = row.payload.into_iter().chain(row.digest);
        let mut compress = |input: &[F; 8]| requests.compress_into(input, &mut blocks);
        let payload = body.payload_with(chain_id, &mut compress);
        // Every block's digest is written on the way to the last.
        let _ = body.digest_with(&payload, compress);
        Ok(())
    })
}
