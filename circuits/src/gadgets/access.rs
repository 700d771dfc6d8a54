//! One access of a record: taken as last written, written back at this transaction's clock.

use p3_field::PrimeCharacteristicRing;

use crate::bus::{ChipBuilder, RangeBus, StateBus, StateMessage};
use crate::cells::Cells;
use crate::chips::transaction::Access;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Which record, and when it was last written.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct AccessColumns<T> {
    /// Where the record lies.
    pub index: T,
    /// When it was last written; clock - old_clock - 1 < 2^16.
    pub old_clock: T,
}

impl<T> AccessColumns<T> {
    /// Names the next cells.
    pub fn of(cells: &mut Cells<impl Iterator<Item = T>>) -> Self {
        Self {
            index: cells.one(),
            old_clock: cells.one(),
        }
    }
}

impl AccessColumns<&mut F> {
    /// Writes the columns and notes the range check of the clocks.
    ///
    /// # Errors
    ///
    /// The record was written at `clock` or later.
    pub fn fill(
        self,
        access: &Access,
        clock: u32,
        events: &mut LookupEvents,
    ) -> Result<(), TraceError> {
        *self.index = F::from_u32(access.index);
        *self.old_clock = F::from_u32(access.old_clock);
        let gap = clock
            .checked_sub(access.old_clock)
            .and_then(|gap| u16::try_from(gap.checked_sub(1)?).ok());
        events.range.push(gap.ok_or(TraceError::ClockNotLater {
            index: access.index,
            old: access.old_clock,
            new: clock,
        })?);
        Ok(())
    }
}

/// Takes `taken` and writes `written` in its position at `clock`, which is later.
///
/// Caller: `is_real` is boolean; on real rows `clock` is at most `FEE_CLOCK` and bound elsewhere.
pub fn access<AB: ChipBuilder>(
    builder: &mut AB,
    is_real: AB::Expr,
    clock: AB::Expr,
    access: &AccessColumns<AB::Var>,
    taken: [AB::Expr; 8],
    written: [AB::Expr; 8],
) {
    let taken = StateMessage {
        index: access.index.into(),
        clock: access.old_clock.into(),
        record: taken,
    };
    let written = StateMessage {
        index: access.index.into(),
        clock: clock.clone(),
        record: written,
    };
    StateBus::receive(builder, taken, is_real.clone());
    StateBus::send(builder, written, is_real.clone());
    RangeBus::check(builder, clock - access.old_clock - F::ONE, is_real);
}
