//! The trace of accesses of vaults.

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_contracts::readings::VaultNote;
use shardfold_protocol::amount::AMOUNT_LIMIT;

use super::columns::{VaultColumns, WIDTH};
use crate::cells::write;
use crate::error::TraceError;
use crate::gadgets::rows;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns one row per access; range checks are noted in `events`.
///
/// # Errors
///
/// More accesses than rows, or a number that does not fit its limbs.
pub fn generate(
    accesses: &[VaultNote],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<RowMajorMatrix<F>, TraceError> {
    rows::trace("vault", WIDTH, log_height, accesses, |note, row| {
        let row = VaultColumns::of(row);
        let [kind, _, balance, nonce, ..] = note.before;
        *row.is_real = F::ONE;
        *row.clock = note.clock;
        *row.vault.index = note.index;
        *row.vault.old_clock = F::from_u32(note.old_clock);
        events.range.push(gap(note)?);
        write([row.kind, row.asset], [kind, note.asset]);
        write([row.balance, row.nonce], [balance, nonce]);
        write(row.owner, note.owner);
        *row.signs = F::from_bool(note.signs);
        *row.may_open = F::from_bool(note.may_open);
        // All bits, for the rule has checked the balance; if that was passed over, another sum.
        let new_balance = (balance + note.delta).as_canonical_u64() % AMOUNT_LIMIT;
        row.new_balance.fill(new_balance, events)
    })
}

/// What is range-checked of the clocks.
fn gap(note: &VaultNote) -> Result<u16, TraceError> {
    let gap = note.clock - F::from_u32(note.old_clock) - F::ONE;
    let value = gap.as_canonical_u64();
    u16::try_from(value).map_err(|_| TraceError::OutOfRange { value, bits: 16 })
}
