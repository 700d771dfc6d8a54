//! The opened values of a proof, table by table.

use p3_air::BaseAir as _;
use p3_batch_stark::BatchOpenedValues;
use p3_batch_stark::proof::OpenedValuesWithLookups;
use p3_uni_stark::OpenedValues;
use shardfold_recursion::config::EF;

use super::Stark;

/// The values of a matrix's columns at one or two points.
type Points = Vec<Vec<EF>>;

/// Deals out what was opened, commitment by commitment: main columns, quotients and the columns of
/// buses.
pub(super) fn opened_values(stark: &Stark, opened: Vec<Vec<Points>>) -> BatchOpenedValues<EF> {
    let mut opened = opened.into_iter();
    let mut round = || opened.next().unwrap_or_default().into_iter();
    let (mut main, mut quotient, mut permutation) = (round(), round(), round());

    let tables = stark.tables.iter().zip(&stark.chips);
    let instances = tables.map(|(table, chip)| {
        let (trace_local, trace_next) = both(main.next());
        let chunks = quotient.by_ref().take(1 << table.log_chunks);
        let quotient_chunks = chunks.map(|chunk| both(Some(chunk)).0).collect();
        let speaks = !table.lookups.is_empty();
        let (permutation_local, permutation_next) =
            both(speaks.then(|| permutation.next()).flatten());
        debug_assert_eq!(trace_local.len(), chip.width());
        OpenedValuesWithLookups {
            base_opened_values: OpenedValues {
                trace_local,
                trace_next,
                preprocessed: None,
                quotient_chunks,
                random: None,
            },
            permutation_local,
            permutation_next: permutation_next.unwrap_or_default(),
        }
    });
    BatchOpenedValues {
        instances: instances.collect(),
    }
}

/// The values at the point, and at the next one if it was asked for.
fn both(points: Option<Points>) -> (Vec<EF>, Option<Vec<EF>>) {
    let mut points = points.unwrap_or_default().into_iter();
    (points.next().unwrap_or_default(), points.next())
}
