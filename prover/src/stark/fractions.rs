//! The columns of the buses: one of fractions for each lookup, and one of their running sum.
//!
//! The messages do not depend on the challenges: they are laid out before the trace is given
//! away to be extended, and are all that is kept of it.

use p3_field::{
    BasedVectorSpace, PackedFieldExtension, PackedValue, PrimeCharacteristicRing,
    batch_multiplicative_inverse_general,
};
use p3_matrix::dense::{RowMajorMatrix, RowMajorMatrixView};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use shardfold_protocol::field::F;
use shardfold_recursion::config::EF;

use super::lanes::{BLOCK, Lanes, Order, Walk, lanes_of};
use super::lookups::{ColumnChallenges, Lookups, PackedExtension};
use super::program::{Packed, Rows, Selectors};

/// The values that a table's messages and counts consist of, group after group.
pub(super) struct Messages {
    lanes: Lanes,
    values: Vec<Packed>,
}

impl Messages {
    /// Lays them out for a trace.
    pub(super) fn new(
        lookups: &Lookups,
        trace: RowMajorMatrixView<'_, F>,
        public_values: &[F],
    ) -> Self {
        let lanes = lanes_of(trace);
        let width = lookups.kept.len();
        let mut values = Packed::zero_vec(lanes.groups * width);
        let blocks = values.par_chunks_mut((BLOCK * width).max(1));
        blocks.enumerate().for_each(|(block, out)| {
            let groups = lanes.block(block);
            let mut main = Walk::new(trace, lanes, Order::Natural, groups.start);
            let mut computed = Vec::with_capacity(lookups.program.len());
            for (group, out) in groups.clone().zip(out.chunks_mut(width)) {
                let rows = Rows {
                    main: main.step(),
                    public_values,
                    selectors: selectors(&lanes, group),
                };
                lookups.program.run(&rows, &mut computed);
                for (out, &value) in out.iter_mut().zip(&lookups.kept) {
                    *out = computed[value];
                }
            }
        });
        Self { lanes, values }
    }

    /// Returns the columns of the buses, and the last sum: what the table adds to all buses.
    pub(super) fn columns(&self, lookups: &Lookups, challenges: &[EF]) -> (RowMajorMatrix<F>, EF) {
        let challenges = ColumnChallenges::of(lookups, challenges);
        let width = lookups.width();
        let rows = self.lanes.count * self.lanes.groups;
        let mut cells = F::zero_vec(rows * width);
        let parts = self.lanes.split(&mut cells, width);
        let totals: Vec<PackedExtension> = parts
            .into_par_iter()
            .enumerate()
            .map(|(block, mut parts)| {
                let fractions = self.block_fractions(block, lookups, &challenges);
                write_block(&fractions, lookups.columns.len(), &mut parts)
            })
            .collect();
        let (starts, sum) = starts(&self.lanes, &totals);
        let parts = self.lanes.split(&mut cells, width);
        parts
            .into_par_iter()
            .zip(starts)
            .for_each(|(parts, starts)| {
                for (part, start) in parts.into_iter().zip(starts) {
                    add_to_sums(part, width, start);
                }
            });
        (RowMajorMatrix::new(cells, width), sum)
    }

    /// The fractions of a block, group after group.
    fn block_fractions(
        &self,
        block: usize,
        lookups: &Lookups,
        challenges: &[ColumnChallenges],
    ) -> Vec<PackedExtension> {
        let groups = self.lanes.block(block);
        let mut values = lookups.blank_values();
        let width = lookups.kept.len();
        let mut fractions = Vec::with_capacity(groups.len() * lookups.columns.len());
        for group in groups {
            let kept = &self.values[group * width..(group + 1) * width];
            for (&value, &kept) in lookups.kept.iter().zip(kept) {
                values[value] = kept;
            }
            for (column, challenges) in lookups.columns.iter().zip(challenges) {
                fractions.push(column.fraction(&values, challenges));
            }
        }
        divide(&fractions)
    }
}

/// On the table's own rows.
fn selectors(lanes: &Lanes, group: usize) -> Selectors {
    let last = lanes.count * lanes.groups - 1;
    Selectors {
        first: lanes.pack(group, |row| F::from_bool(row == 0)),
        last: lanes.pack(group, |row| F::from_bool(row == last)),
        transition: lanes.pack(group, |row| F::from_bool(row != last)),
    }
}

/// Divides all numerators by their denominators, with one inversion: `1 / (a + b X)` is
/// `(a - b X) / (a^2 - 7 b^2)`. Zero in the place of a denominator, which a trace may bring about
/// that proves nothing, counts as one.
fn divide(fractions: &[(PackedExtension, PackedExtension)]) -> Vec<PackedExtension> {
    let seven = F::from_u8(7);
    let norms: Vec<Packed> = fractions
        .iter()
        .map(|(_, denominator)| {
            let [a, b] = coordinates(denominator);
            without_zero(a.square() - b.square() * seven)
        })
        .collect();
    let mut inverses = Packed::zero_vec(norms.len());
    batch_multiplicative_inverse_general(&norms, &mut inverses, |norm| {
        Packed::from_fn(|lane| p3_field::Field::inverse(&norm.as_slice()[lane]))
    });
    let quotients = fractions.iter().zip(inverses);
    quotients
        .map(|((numerator, denominator), inverse)| {
            let [a, b] = coordinates(denominator);
            let conjugate = PackedExtension::from_basis_coefficients_fn(|i| [a, -b][i]);
            *numerator * conjugate * inverse
        })
        .collect()
}

fn coordinates(element: &PackedExtension) -> [Packed; 2] {
    let coordinates = element.as_basis_coefficients_slice();
    [coordinates[0], coordinates[1]]
}

fn without_zero(value: Packed) -> Packed {
    let lanes = value.as_slice();
    if lanes.contains(&F::ZERO) {
        Packed::from_fn(|lane| {
            if lanes[lane] == F::ZERO {
                F::ONE
            } else {
                lanes[lane]
            }
        })
    } else {
        value
    }
}

/// Writes a block's fractions into its part of each lane, and before them the sum of what came
/// before in that part; returns the sum of all.
fn write_block(
    fractions: &[PackedExtension],
    columns: usize,
    parts: &mut [&mut [F]],
) -> PackedExtension {
    let mut sum = PackedExtension::ZERO;
    let width = 2 * (columns + 1);
    for (row, fractions) in fractions.chunks(columns).enumerate() {
        for (column, element) in std::iter::once(&sum).chain(fractions).enumerate() {
            let coordinates = coordinates(element);
            let place = row * width + 2 * column;
            for (lane, part) in parts.iter_mut().enumerate() {
                part[place] = coordinates[0].as_slice()[lane];
                part[place + 1] = coordinates[1].as_slice()[lane];
            }
        }
        for fraction in fractions {
            sum += *fraction;
        }
    }
    sum
}

/// The sums before each part of each lane, block by block, and the sum of all.
fn starts(lanes: &Lanes, totals: &[PackedExtension]) -> (Vec<Vec<EF>>, EF) {
    let mut starts = vec![Vec::with_capacity(lanes.count); totals.len()];
    let mut sum = EF::ZERO;
    for lane in 0..lanes.count {
        for (starts, total) in starts.iter_mut().zip(totals) {
            starts.push(sum);
            let total: EF = total.extract(lane);
            sum += total;
        }
    }
    (starts, sum)
}

fn add_to_sums(part: &mut [F], width: usize, start: EF) {
    let start: &[F] = start.as_basis_coefficients_slice();
    for row in part.chunks_mut(width) {
        row[0] += start[0];
        row[1] += start[1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_divided_though_one_has_no_denominator() {
        let number = |n: u8| PackedExtension::from(EF::new([F::from_u8(n), F::from_u8(n + 1)]));
        let fractions = [
            (number(3), number(5)),
            (number(1), PackedExtension::ZERO),
            (number(4), number(9)),
        ];
        let quotients = divide(&fractions);
        for i in [0, 2] {
            let product: EF = (quotients[i] * fractions[i].1).extract(1);
            let numerator: EF = fractions[i].0.extract(1);
            assert_eq!(product, numerator);
        }
    }
}
