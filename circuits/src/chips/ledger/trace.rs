//! The trace of the ledger.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::hash::{Digest, concat};
use shardfold_protocol::head::{Head, LEAP_LIMIT};
use shardfold_protocol::transaction::Kind;

use super::columns::{ChainColumns, LedgerColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::amount;
use crate::lookup_events::LookupEvents;
use crate::witness_rows::LedgerRow;
use shardfold_protocol::field::F;

/// Returns one row per transaction, from the head before the first to a head of time `time`; hashes
/// and ranges are noted in `events`.
///
/// # Errors
///
/// More transactions than rows, or a time that does not follow that of the head before.
pub fn generate(
    steps: &[LedgerRow],
    before: &Head,
    time: u64,
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    TraceError::check_rows("ledger", steps.len(), log_height)?;
    let mut values = F::zero_vec(WIDTH << log_height);
    let mut head = *before;
    let mut queue_count = F::from_u64(before.queue_count);
    let mut withdrawal_count = F::from_u64(before.withdrawal_count);
    let elapsed = amount::limbs::<2>(time.wrapping_sub(before.time), LEAP_LIMIT.ilog2())?;
    events.range.extend(elapsed);
    let padding = core::iter::repeat(None);
    let rows = steps.iter().map(Some).chain(padding);
    for (position, (cells, step)) in values.chunks_exact_mut(WIDTH).zip(rows).enumerate() {
        let row = LedgerColumns::of(cells);
        *row.is_first = F::from_bool(position == 0);
        // Padding rows keep the clock that the next transaction would have.
        *row.clock = F::from_usize(position.min(steps.len()) + 1);
        *row.queue_count = queue_count;
        *row.withdrawal_count = withdrawal_count;
        write(row.elapsed, elapsed.map(F::from_u16));
        let is = |kind| step.filter(|step| step.kind == kind);
        let (deposit, withdraw) = (is(Kind::Deposit), is(Kind::Withdraw));
        *row.is_transfer = F::from_bool(is(Kind::Transfer).is_some());
        *row.is_deposit = F::from_bool(deposit.is_some());
        *row.is_withdraw = F::from_bool(withdraw.is_some());

        let digest = step.map(|step| step.digests.transaction);
        let payload = |step: Option<&LedgerRow>| step.map(|step| step.digests.payload);
        write(row.digest, digest.unwrap_or_default());
        write(row.payload, payload(step).unwrap_or_default());
        let chained = [
            (row.transactions, &mut head.tx_commitment, digest),
            (row.queue, &mut head.queue_commitment, payload(deposit)),
            (
                row.withdrawals,
                &mut head.withdrawal_commitment,
                payload(withdraw),
            ),
        ];
        for (columns, commitment, entry) in chained {
            extend(columns, commitment, entry, events);
        }
        if deposit.is_some() {
            *row.queue_position = queue_count;
            queue_count += F::ONE;
        }
        withdrawal_count += *row.is_withdraw;
    }
    Ok(RowMajorMatrix::new(values, WIDTH))
}

/// Extends a chain by `entry`, if there is one.
fn extend(
    columns: ChainColumns<&mut F>,
    commitment: &mut Digest,
    entry: Option<Digest>,
    events: &mut LookupEvents,
) {
    write(columns.before, *commitment);
    if let Some(entry) = entry {
        *commitment = events.compress(&concat(commitment, &entry));
    }
    write(columns.after, *commitment);
}
