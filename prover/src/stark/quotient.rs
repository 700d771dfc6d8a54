//! The quotient of a table's constraints, combined by powers of a challenge, by the polynomial
//! that vanishes on the table's rows.

use p3_air::{Air as _, BaseAir as _, RowWindow};
use p3_batch_stark::folder::ProverConstraintFolderWithLookups;
use p3_commit::{LagrangeSelectors, PeriodicLdeTable, PolynomialSpace as _, UnivariateStarkPcs};
use p3_field::{BasedVectorSpace, PackedFieldExtension, PrimeCharacteristicRing};
use p3_matrix::dense::{RowMajorMatrix, RowMajorMatrixView};
use p3_uni_stark::ProverConstraintFolder;
use p3_util::reverse_bits_len;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use shardfold_circuits::chips::Chip;
use shardfold_protocol::field::F;
use shardfold_recursion::config::{Challenger, Config, EF, Pcs};

use super::lanes::{Lanes, Order, Walk};
use super::lookups::{ColumnChallenges, PackedExtension};
use super::program::{Packed, Rows, Selectors};
use super::table::{Domain, Table};

/// What a table has committed to, extended; and what was drawn thereafter.
pub(super) struct Committed<'a> {
    pub(super) main: RowMajorMatrixView<'a, F>,
    pub(super) permutation: RowMajorMatrixView<'a, F>,
    pub(super) public_values: &'a [F],
    /// The challenges of the lookups.
    pub(super) challenges: &'a [EF],
    /// What the table adds to all buses.
    pub(super) sum: EF,
    /// The challenge whose powers combine the constraints.
    pub(super) alpha: EF,
}

/// One table's quotient, while it is computed.
pub(super) struct Quotient<'a> {
    table: &'a Table,
    chip: &'a Chip,
    committed: Committed<'a>,
    lanes: Lanes,
    selectors: LagrangeSelectors<Vec<F>>,
    periodic: PeriodicLdeTable<F>,
    challenges: Vec<ColumnChallenges>,
    sum: PackedExtension,
    base_powers: Vec<Vec<F>>,
    extension_powers: Vec<EF>,
}

impl<'a> Quotient<'a> {
    /// Prepares the quotient of a table.
    pub(super) fn new(
        pcs: &Pcs,
        table: &'a Table,
        chip: &'a Chip,
        committed: Committed<'a>,
    ) -> Self {
        let domain = table.domain();
        let quotient_domain = table.quotient_domain();
        let (base_powers, extension_powers) = table.constraints.decompose_alpha(committed.alpha);
        let columns = chip.periodic_columns();
        let periodic = UnivariateStarkPcs::<EF, Challenger>::build_periodic_lde_table(
            pcs,
            &columns,
            domain,
            quotient_domain,
        );
        Self {
            table,
            chip,
            lanes: Lanes::new(table.log_height),
            selectors: domain.selectors_on_coset(quotient_domain),
            periodic,
            challenges: ColumnChallenges::of(&table.lookups, committed.challenges),
            sum: committed.sum.into(),
            base_powers,
            extension_powers,
            committed,
        }
    }

    /// Returns the values of each chunk of the quotient on its domain, in their order.
    pub(super) fn chunks(&self) -> Vec<(Domain, RowMajorMatrix<F>)> {
        let count = 1 << self.table.log_chunks;
        let domains = self.table.quotient_domain().split_domains(count);
        let chunk = |chunk| {
            let mut cells = F::zero_vec(2 << self.table.log_height);
            let blocks = self.lanes.split(&mut cells, 2).into_par_iter();
            blocks.enumerate().for_each(|(block, mut parts)| {
                self.block(chunk, block, &mut parts);
            });
            RowMajorMatrix::new(cells, 2)
        };
        domains.into_iter().zip((0..count).map(chunk)).collect()
    }

    /// Computes the quotient on one block of a chunk.
    fn block(&self, chunk: usize, block: usize, parts: &mut [&mut [F]]) {
        let groups = self.lanes.block(block);
        let part = reverse_bits_len(chunk, self.table.log_chunks);
        let walk = |matrix| Walk::new(matrix, self.lanes, Order::Reversed { part }, groups.start);
        let mut main = walk(self.committed.main);
        let mut permutation = walk(self.committed.permutation);
        let mut buffers = Buffers::default();
        for (row, group) in groups.clone().enumerate() {
            let rows = Rows {
                main: main.step(),
                public_values: self.committed.public_values,
                selectors: Selectors {
                    first: self.at(chunk, group, &self.selectors.is_first_row),
                    last: self.at(chunk, group, &self.selectors.is_last_row),
                    transition: self.at(chunk, group, &self.selectors.is_transition),
                },
            };
            self.pack_periodic(chunk, group, &mut buffers.periodic);
            self.lookup_constraints(&rows, permutation.step(), &mut buffers);
            let inverse = self.at(chunk, group, &self.selectors.inv_vanishing);
            let quotient = self.combine(&rows, &mut buffers) * inverse;
            for (lane, part) in parts.iter_mut().enumerate() {
                let element: EF = quotient.extract(lane);
                part[2 * row..2 * row + 2].copy_from_slice(element.as_basis_coefficients_slice());
            }
        }
    }

    /// Packs values on the quotient's domain.
    fn at(&self, chunk: usize, group: usize, values: &[F]) -> Packed {
        let log_chunks = self.table.log_chunks;
        self.lanes
            .pack(group, |row| values[(row << log_chunks) + chunk])
    }

    fn pack_periodic(&self, chunk: usize, group: usize, packed: &mut Vec<Packed>) {
        packed.clear();
        if self.periodic.is_empty() {
            return;
        }
        let log_chunks = self.table.log_chunks;
        packed.extend((0..self.periodic.width()).map(|column| {
            let value = |row: usize| *self.periodic.get((row << log_chunks) + chunk, column);
            self.lanes.pack(group, value)
        }));
    }

    /// Lays out what must be zero for the columns of the buses to be right.
    fn lookup_constraints(
        &self,
        rows: &Rows<'_>,
        permutation: RowMajorMatrixView<'_, Packed>,
        buffers: &mut Buffers,
    ) {
        let constraints = &mut buffers.extension_constraints;
        constraints.clear();
        let lookups = &self.table.lookups;
        if lookups.is_empty() {
            return;
        }
        lookups.program.run(rows, &mut buffers.values);
        let (current, next) = permutation.values.split_at(permutation.width);
        let mut sum = PackedExtension::ZERO;
        for (i, (column, challenges)) in lookups.columns.iter().zip(&self.challenges).enumerate() {
            let (numerator, denominator) = column.fraction(&buffers.values, challenges);
            let fraction = element(current, i + 1);
            constraints.push(denominator * fraction - numerator);
            sum += fraction;
        }
        let before = element(current, 0);
        let after = before + sum;
        constraints.push(before * rows.selectors.first);
        constraints.push((element(next, 0) - after) * rows.selectors.transition);
        constraints.push((self.sum - after) * rows.selectors.last);
    }

    /// Evaluates the chip's own constraints and combines all.
    fn combine(&self, rows: &Rows<'_>, buffers: &mut Buffers) -> PackedExtension {
        buffers.base_constraints.clear();
        // No chip has preprocessed columns: `ShardStark::new` refuses one.
        let preprocessed = RowMajorMatrixView::new(&[], 0);
        let inner = ProverConstraintFolder::<Config> {
            main: rows.main,
            preprocessed,
            preprocessed_window: RowWindow::from_view(&preprocessed),
            periodic_values: &buffers.periodic,
            public_values: rows.public_values,
            is_first_row: rows.selectors.first,
            is_last_row: rows.selectors.last,
            is_transition: rows.selectors.transition,
            base_alpha_powers: &self.base_powers,
            ext_alpha_powers: &self.extension_powers,
            base_constraints: std::mem::take(&mut buffers.base_constraints),
            ext_constraints: std::mem::take(&mut buffers.extension_constraints),
            constraint_index: 0,
            constraint_count: self.table.constraints.total_constraints(),
        };
        let mut folder = ProverConstraintFolderWithLookups {
            inner,
            permutation: RowMajorMatrixView::new(&[], 0),
            permutation_challenges: &[],
            permutation_values: &[],
        };
        self.chip.eval(&mut folder);
        let combined = folder.inner.finalize_constraints();
        buffers.base_constraints = folder.inner.base_constraints;
        buffers.extension_constraints = folder.inner.ext_constraints;
        combined
    }
}

/// Used again from group to group.
#[derive(Default)]
struct Buffers {
    periodic: Vec<Packed>,
    values: Vec<Packed>,
    base_constraints: Vec<Packed>,
    extension_constraints: Vec<PackedExtension>,
}

/// The element of a column that is two columns of coordinates.
fn element(row: &[Packed], column: usize) -> PackedExtension {
    PackedExtension::from_basis_coefficients_fn(|i| row[2 * column + i])
}
