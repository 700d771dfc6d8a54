//! The trace of the touched records.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use super::TouchedRecord;
use super::columns::{RecordColumns, WIDTH};
use crate::cells::write;
use crate::chips::node::TouchedNode;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns the trace, and the leaves that rise to the node chip, in the order of the records.
///
/// # Errors
///
/// [`TraceError::TooManyRows`] if there are more than `2^log_height` records.
pub fn generate(
    records: &[TouchedRecord],
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<(RowMajorMatrix<F>, Vec<TouchedNode>), TraceError> {
    TraceError::check_rows("record", records.len(), log_height)?;
    let leaves: Vec<TouchedNode> = records.par_iter().map(leaf).collect();
    for record in records {
        events.hashes.push(record.first.0);
        events.hashes.push(record.last.0);
    }

    let mut values = F::zero_vec(WIDTH << log_height);
    values
        .par_chunks_exact_mut(WIDTH)
        .zip(records)
        .zip(&leaves)
        .for_each(|((cells, record), leaf)| fill(RecordColumns::of(cells), record, leaf));
    Ok((RowMajorMatrix::new(values, WIDTH), leaves))
}

fn leaf(record: &TouchedRecord) -> TouchedNode {
    TouchedNode {
        index: record.index,
        old: record.first.digest(),
        new: record.last.digest(),
    }
}

fn fill(cells: RecordColumns<&mut F>, record: &TouchedRecord, leaf: &TouchedNode) {
    *cells.is_real = F::ONE;
    *cells.index = F::from_u32(record.index);
    write(cells.first, record.first.0);
    write(cells.last, record.last.0);
    *cells.last_clock = F::from_u32(record.last_clock);
    write(cells.old, leaf.old);
    write(cells.new, leaf.new);
}
