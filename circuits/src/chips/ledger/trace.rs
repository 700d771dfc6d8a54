//! The trace of the ledger.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::hash::{Digest, concat};
use shardfold_protocol::head::Head;
use shardfold_protocol::transaction::Kind;

use super::columns::{ChainColumns, LedgerColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::replay::LedgerStep;
use crate::requests::Requests;
use shardfold_protocol::field::F;

/// One row per transaction, from the head before the first; hashes are noted in `requests`.
///
/// # Errors
///
/// More transactions than rows.
pub fn generate(
    steps: &[LedgerStep],
    before: &Head,
    log_height: usize,
    requests: &mut Requests,
) -> Result<RowMajorMatrix<F>, TraceError> {
    TraceError::check_rows("ledger", steps.len(), log_height)?;
    let mut values = F::zero_vec(WIDTH << log_height);
    let mut head = *before;
    let mut deposit_count = F::from_u64(before.deposit_count);
    let padding = core::iter::repeat(None);
    let rows = steps.iter().map(Some).chain(padding);
    for (place, (cells, step)) in values.chunks_exact_mut(WIDTH).zip(rows).enumerate() {
        let row = LedgerColumns::of(cells);
        *row.is_first = F::from_bool(place == 0);
        // Padding rows keep the clock that the next transaction would have.
        *row.clock = F::from_usize(place.min(steps.len()) + 1);
        *row.deposit_count = deposit_count;
        let is = |kind| step.filter(|step| step.kind == kind);
        let (deposit, withdraw) = (is(Kind::Deposit), is(Kind::Withdraw));
        *row.is_transfer = F::from_bool(is(Kind::Transfer).is_some());
        *row.is_deposit = F::from_bool(deposit.is_some());
        *row.is_withdraw = F::from_bool(withdraw.is_some());

        let digest = step.map(|step| step.digests.transaction);
        let payload = |step: Option<&LedgerStep>| step.map(|step| step.digests.payload);
        write(row.digest, digest.unwrap_or_default());
        write(row.payload, payload(step).unwrap_or_default());
        let chained = [
            (row.transactions, &mut head.tx_commitment, digest),
            (row.deposits, &mut head.deposit_commitment, payload(deposit)),
            (
                row.withdrawals,
                &mut head.withdrawal_commitment,
                payload(withdraw),
            ),
        ];
        for (columns, commitment, entry) in chained {
            extend(columns, commitment, entry, requests);
        }
        if deposit.is_some() {
            *row.queue_position = deposit_count;
            deposit_count += F::ONE;
        }
    }
    Ok(RowMajorMatrix::new(values, WIDTH))
}

/// Extends a chain by `entry`, if there is one.
fn extend(
    columns: ChainColumns<&mut F>,
    commitment: &mut Digest,
    entry: Option<Digest>,
    requests: &mut Requests,
) {
    write(columns.before, *commitment);
    if let Some(entry) = entry {
        *commitment = requests.compress(&concat(commitment, &entry));
    }
    write(columns.after, *commitment);
}
