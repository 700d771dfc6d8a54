//! The trace of the touched records.

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::difference::{Change, Unpublishable};
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, concat};
use shardfold_protocol::record::{KIND_VAULT, Record};

use super::TouchedRecord;
use super::columns::{RecordColumns, WIDTH};
use crate::cells::write;
use crate::chips::node::TouchedNode;
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// Returns the trace, and the leaves that rise to the node chip, in the order of the records;
/// `data` is the chain of differences before the shard.
///
/// # Errors
///
/// [`TraceError::TooManyRows`] if there are more than `2^log_height` records,
/// [`TraceError::Unpublishable`] if one became what cannot be published.
pub fn generate(
    records: &[TouchedRecord],
    data: &Digest,
    log_height: usize,
    events: &mut LookupEvents,
) -> Result<(RowMajorMatrix<F>, Vec<TouchedNode>), TraceError> {
    TraceError::check_rows("record", records.len(), log_height)?;
    let leaves: Vec<TouchedNode> = records.par_iter().map(leaf).collect();
    for record in records {
        events.hashes.push(record.first.0);
        events.hashes.push(record.last.0);
    }
    let rows = order(records, &leaves)?;
    let (links, end) = chain(&rows, data, events);
    for limb in limbs(&rows) {
        events.range.push(limb);
    }

    let mut values = F::zero_vec(WIDTH << log_height);
    let cells = values.par_chunks_exact_mut(WIDTH).enumerate();
    cells.for_each(|(number, cells)| {
        let link = links.get(number).unwrap_or(&end);
        link.fill(number % 2 == 1, RecordColumns::of(cells.iter_mut()));
        if let Some(row) = rows.get(number) {
            row.fill(RecordColumns::of(cells), rows.get(number + 1));
        }
    });
    Ok((RowMajorMatrix::new(values, WIDTH), leaves))
}

fn leaf(record: &TouchedRecord) -> TouchedNode {
    TouchedNode {
        index: record.index,
        old: record.first.digest(),
        new: record.last.digest(),
    }
}

/// A record with what is published of it.
struct Row<'a> {
    record: &'a TouchedRecord,
    leaf: &'a TouchedNode,
    change: Option<Change>,
}

/// The rows: those that are published first, each part in the order of the records.
fn order<'a>(
    records: &'a [TouchedRecord],
    leaves: &'a [TouchedNode],
) -> Result<Vec<Row<'a>>, Unpublishable> {
    let (mut rows, mut unchanged) = (vec![], vec![]);
    for (record, leaf) in records.iter().zip(leaves) {
        let change = Change::between(&record.first, &record.last);
        let index = record.index;
        let change = change.map_err(|source| Unpublishable { index, source })?;
        let part = match change {
            Some(_) => &mut rows,
            None => &mut unchanged,
        };
        part.push(Row {
            record,
            leaf,
            change,
        });
    }
    rows.append(&mut unchanged);
    Ok(rows)
}

/// The chain at a row.
struct Link {
    chain: Digest,
    half: Digest,
    own: Digest,
}

impl Link {
    fn fill(&self, is_odd: bool, cells: RecordColumns<&mut F>) {
        *cells.is_odd = F::from_bool(is_odd);
        write(cells.chain, self.chain);
        write(cells.half, self.half);
        write(cells.own, self.own);
    }
}

/// The chain at each row that is published, and at those after them.
fn chain(rows: &[Row<'_>], data: &Digest, events: &mut LookupEvents) -> (Vec<Link>, Link) {
    let first_pair = |row: &Row<'_>| Some(row.change?.first_pair(row.record.index));
    let mut chain = *data;
    let mut links = vec![];
    for (number, row) in rows.iter().enumerate() {
        let Some((change, pair)) = row.change.zip(first_pair(row)) else {
            break;
        };
        let is_odd = number % 2 == 1;
        let (mut half, mut own, mut rest) = (ZERO_DIGEST, chain, pair);
        if let Change::Record(record) = change {
            let [first, second] = alone(&pair, &record, is_odd);
            half = events.compress(&concat(&chain, &first));
            own = events.compress(&concat(&half, &second));
            rest = [record.0[6], record.0[7]];
        }
        links.push(Link { chain, half, own });
        chain = own;
        if !is_odd {
            let next = rows.get(number + 1).and_then(first_pair);
            let ([a, b], [c, d]) = (rest, next.unwrap_or_default());
            chain = events.compress(&concat(&own, &[a, b, c, d]));
        }
    }
    let end = Link {
        chain,
        half: ZERO_DIGEST,
        own: chain,
    };
    (links, end)
}

/// The blocks that a record which is published whole has alone.
const fn alone(mark: &[F; 2], record: &Record, is_odd: bool) -> [[F; 4]; 2] {
    let [a, b, c, d, e, f, g, h] = record.0;
    if is_odd {
        [[a, b, c, d], [e, f, g, h]]
    } else {
        [[mark[0], mark[1], a, b], [c, d, e, f]]
    }
}

/// Each 16-bit value that the rows look up.
fn limbs(rows: &[Row<'_>]) -> Vec<u16> {
    let mut limbs = vec![];
    for (number, row) in rows.iter().enumerate() {
        let Some(change) = row.change else {
            break;
        };
        limbs.extend(row.gap(rows.get(number + 1)));
        if let Change::Vault { increment, .. } = change {
            limbs.push(increment);
        }
    }
    limbs
}

impl Row<'_> {
    /// The limbs of how much larger the next index is, less one; zeros if that is not published.
    fn gap(&self, next: Option<&Self>) -> [u16; 2] {
        let next = next.filter(|next| next.change.is_some());
        // Records that do not ascend are refused by the node chip.
        let gap = next.map_or(0, |next| {
            let rise = next.record.index.wrapping_sub(self.record.index);
            rise.wrapping_sub(1)
        });
        [gap as u16, (gap >> 16) as u16]
    }

    fn fill(&self, cells: RecordColumns<&mut F>, next: Option<&Self>) {
        let Self { record, leaf, .. } = self;
        *cells.is_real = F::ONE;
        *cells.index = F::from_u32(record.index);
        write(cells.first, record.first.0);
        write(cells.last, record.last.0);
        *cells.last_clock = F::from_u32(record.last_clock);
        write(cells.old, leaf.old);
        write(cells.new, leaf.new);
        let Some(change) = self.change else {
            return;
        };
        let is_vault = F::from_bool(matches!(change, Change::Vault { .. }));
        *cells.is_changed = F::ONE;
        *cells.is_vault = is_vault;
        write(cells.gap, self.gap(next).map(F::from_u16));
        let kind = record.first.0[0] - F::from_u64(KIND_VAULT) + is_vault;
        write(cells.witness, witness(leaf, kind));
    }
}

/// Numbers by which the differences of the digests, times this, add up to 1.
fn witness(leaf: &TouchedNode, kind: F) -> [F; 4] {
    let mut witness = [F::ZERO; 4];
    for (cell, (new, old)) in witness.iter_mut().zip(leaf.new.iter().zip(&leaf.old)) {
        if let Some(inverse) = ((*new - *old) * kind).try_inverse() {
            *cell = inverse;
            break;
        }
    }
    witness
}
