//! The quotient of all constraints by the polynomial that is zero on the rows.
//!
//! It is computed by values, in the order of plonky2's leaves: the coset that suffices for the
//! constraints' degree is the first part of the larger one, and the values at a batch of points
//! come from neighbouring rows.

use p3_field::PrimeCharacteristicRing as _;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::{reverse_bits_len, reverse_slice_index_bits};
use plonky2::field::packed::PackedField;
use plonky2::field::types::Field as _;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::vars::EvaluationVarsBaseBatch;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use super::domain::to_plonky2;
use super::gates::{Gates, Packed};
use super::oracle::Leaves;
use crate::config::F;
use crate::convert::{from_plonk, to_plonk};
use crate::plonk::transcript::CopyChallenges;
use crate::plonk::{CommonData, PlonkField};

/// log2 of the points that are computed on at once.
pub const LOG_PACK: usize = p3_util::log2_ceil_usize(Packed::WIDTH);
/// Points of a batch.
const BATCH: usize = 64;

/// What the quotient is computed from.
pub struct Inputs<'a> {
    /// What the circuit's proofs share.
    pub common: &'a CommonData,
    /// The codewords of constants and sigmas, a leaf for each point.
    pub preprocessed: &'a [Vec<PlonkField>],
    /// The circuit's gates.
    pub gates: Gates<'a>,
    /// The hash of the public inputs.
    pub public_inputs_hash: &'a HashOut<PlonkField>,
    /// The wires' codewords.
    pub wires: &'a Leaves,
    /// The products' codewords.
    pub products: &'a Leaves,
    /// The challenges of the copy constraints.
    pub copy: &'a CopyChallenges<PlonkField>,
    /// What combines the constraints.
    pub alphas: &'a [PlonkField],
}

/// Returns log2 of the points per row that the constraints' degree needs.
pub fn log_degree(common: &CommonData) -> usize {
    p3_util::log2_ceil_usize(common.quotient_degree_factor)
}

/// Returns log2 of the points of the coset.
pub fn log_points(common: &CommonData) -> usize {
    common.degree_bits() + log_degree(common)
}

/// Returns the quotients' values on the coset, a column for each alpha, in rows of Plonky3's domain.
pub fn values(inputs: &Inputs<'_>) -> RowMajorMatrix<F> {
    let domain = Domain::new(inputs.common);
    let width = inputs.alphas.len();
    let mut leaves = vec![PlonkField::ZERO; width * domain.points.len()];
    let batch = BATCH.min(domain.points.len());
    leaves
        .par_chunks_mut(batch * width)
        .enumerate()
        .for_each(|(i, values)| {
            let columns = Batch::new(inputs, &domain, i * batch, batch);
            columns.evaluate(inputs, values);
        });
    let log_points = log_points(inputs.common);
    let mut values = vec![F::ZERO; leaves.len()];
    values
        .par_chunks_exact_mut(width)
        .enumerate()
        .for_each(|(index, row)| {
            let leaf = reverse_bits_len(to_plonky2(index, log_points), log_points);
            for (place, &value) in row.iter_mut().zip(&leaves[leaf * width..]) {
                *place = from_plonk(value);
            }
        });
    RowMajorMatrix::new(values, width)
}

/// The coset of the quotient.
struct Domain {
    /// In the order of the leaves.
    points: Vec<PlonkField>,
    /// log2 of the rows.
    log_rows: usize,
    /// The polynomial that is zero on the rows, at the points of each block of as many points as
    /// there are rows.
    zeros: Vec<PlonkField>,
    /// Its inverses.
    inverses: Vec<PlonkField>,
}

impl Domain {
    fn new(common: &CommonData) -> Self {
        let log_rows = common.degree_bits();
        let shift = PlonkField::coset_shift();
        let mut points = PlonkField::two_adic_subgroup(log_points(common));
        reverse_slice_index_bits(&mut points);
        for point in &mut points {
            *point *= shift;
        }
        let blocks = points.iter().step_by(1 << log_rows);
        let zeros: Vec<_> = blocks
            .map(|point| point.exp_power_of_2(log_rows) - PlonkField::ONE)
            .collect();
        Self {
            points,
            log_rows,
            inverses: PlonkField::batch_multiplicative_inverse(&zeros),
            zeros,
        }
    }

    /// Returns the leaf of the point one row on from that of this leaf.
    fn next(&self, leaf: usize) -> usize {
        let mask = (1 << self.log_rows) - 1;
        let index = reverse_bits_len(leaf & mask, self.log_rows);
        let next = reverse_bits_len((index + 1) & mask, self.log_rows);
        (leaf & !mask) | next
    }

    /// Returns the Lagrange polynomial of the first row at points from `start` on.
    fn first_row(&self, start: usize, points: &[PlonkField]) -> Vec<PlonkField> {
        let rows = PlonkField::from_canonical_usize(1 << self.log_rows);
        let denominators: Vec<_> = points
            .iter()
            .map(|&point| rows * (point - PlonkField::ONE))
            .collect();
        let mut values = PlonkField::batch_multiplicative_inverse(&denominators);
        for (leaf, value) in (start..).zip(&mut values) {
            *value *= self.zeros[leaf >> self.log_rows];
        }
        values
    }
}

/// The columns of a batch of points: all values of the first column, then those of the next.
struct Batch<'a> {
    points: &'a [PlonkField],
    first_row: Vec<PlonkField>,
    inverses: Vec<PlonkField>,
    constants: Vec<PlonkField>,
    sigmas: Vec<PlonkField>,
    wires: Vec<PlonkField>,
    products: Vec<PlonkField>,
    next_zs: Vec<PlonkField>,
}

/// Turns rows into columns.
fn columns<'a, T: Copy + 'a>(
    rows: impl Iterator<Item = &'a [T]>,
    count: usize,
    width: usize,
    convert: impl Fn(T) -> PlonkField,
) -> Vec<PlonkField> {
    let mut columns = vec![PlonkField::ZERO; count * width];
    for (i, row) in rows.enumerate() {
        for (column, &value) in columns.chunks_exact_mut(count).zip(row) {
            column[i] = convert(value);
        }
    }
    columns
}

/// Returns the row of a leaf.
fn row(leaves: &Leaves, leaf: usize) -> &[F] {
    let width = leaves.inner.width;
    let start = leaves.index_map.row(leaf) * width;
    &leaves.inner.values[start..start + width]
}

impl<'a> Batch<'a> {
    fn new(inputs: &Inputs<'a>, domain: &'a Domain, start: usize, count: usize) -> Self {
        let common = inputs.common;
        let leaves = start..start + count;
        let preprocessed = &inputs.preprocessed[leaves.clone()];
        let constants = preprocessed
            .iter()
            .map(|leaf| &leaf[common.constants_range()]);
        let sigmas = preprocessed.iter().map(|leaf| &leaf[common.sigmas_range()]);
        let wires = leaves.clone().map(|leaf| row(inputs.wires, leaf));
        let products = leaves.clone().map(|leaf| row(inputs.products, leaf));
        let zs = common.zs_range();
        let next_zs = leaves
            .clone()
            .map(|leaf| &row(inputs.products, domain.next(leaf))[zs.clone()]);
        let points = &domain.points[leaves.clone()];
        let inverses = leaves.map(|leaf| domain.inverses[leaf >> domain.log_rows]);
        Self {
            points,
            first_row: domain.first_row(start, points),
            inverses: inverses.collect(),
            constants: columns(constants, count, common.num_constants, |value| value),
            sigmas: columns(sigmas, count, common.config.num_routed_wires, |value| value),
            wires: columns(wires, count, common.config.num_wires, to_plonk),
            products: columns(products, count, inputs.products.inner.width, to_plonk),
            next_zs: columns(next_zs, count, zs.len(), to_plonk),
        }
    }

    /// Writes the quotients: for each point, one for each alpha.
    fn evaluate(&self, inputs: &Inputs<'_>, values: &mut [PlonkField]) {
        let count = self.points.len();
        let vars = EvaluationVarsBaseBatch::new(
            count,
            &self.constants,
            &self.wires,
            inputs.public_inputs_hash,
        );
        let mut constraints = self.copy_constraints(inputs);
        constraints.extend(inputs.gates.evaluate(vars));
        let inverses = Packed::pack_slice(&self.inverses);
        let packs = inverses.len();
        let mut sums = vec![Packed::ZEROS; packs * inputs.alphas.len()];
        // Horner's rule, on all points and for all alphas at once.
        for constraint in constraints.chunks_exact(packs).rev() {
            for (sums, &alpha) in sums.chunks_exact_mut(packs).zip(inputs.alphas) {
                for (sum, &value) in sums.iter_mut().zip(constraint) {
                    *sum = *sum * alpha + value;
                }
            }
        }
        for (column, sums) in sums.chunks_exact_mut(packs).enumerate() {
            for (sum, &inverse) in sums.iter_mut().zip(inverses) {
                *sum *= inverse;
            }
            let places = values.iter_mut().skip(column).step_by(inputs.alphas.len());
            let sums = sums.iter().flat_map(|sum| sum.as_slice());
            for (place, &sum) in places.zip(sums) {
                *place = sum;
            }
        }
    }

    /// Returns the constraints of the products: each `Z` is 1 in the first row; then, for each
    /// challenge, each chunk leads from one product to the next.
    fn copy_constraints(&self, inputs: &Inputs<'_>) -> Vec<Packed> {
        let common = inputs.common;
        let packs = self.points.len() / Packed::WIDTH;
        let first_row = Packed::pack_slice(&self.first_row);
        let products = Packed::pack_slice(&self.products);
        let next_zs = Packed::pack_slice(&self.next_zs);
        let mut constraints = Vec::new();
        for zs in products.chunks_exact(packs).take(inputs.alphas.len()) {
            let pairs = zs.iter().zip(first_row);
            constraints.extend(pairs.map(|(&z, &first)| first * (z - PlonkField::ONE)));
        }
        let partials = common.num_partial_products;
        for i in 0..inputs.alphas.len() {
            let inner = inputs.alphas.len() + i * partials;
            for chunk in 0..=partials {
                let before = if chunk == 0 { i } else { inner + chunk - 1 };
                let before = &products[before * packs..][..packs];
                let after = if chunk == partials {
                    &next_zs[i * packs..]
                } else {
                    &products[(inner + chunk) * packs..]
                };
                let wires = chunk * common.quotient_degree_factor;
                let end =
                    (wires + common.quotient_degree_factor).min(common.config.num_routed_wires);
                for pack in 0..packs {
                    let (numerator, denominator) = self.factors(inputs, i, wires..end, pack);
                    constraints.push(before[pack] * numerator - after[pack] * denominator);
                }
            }
        }
        constraints
    }

    /// Returns the products over some wires of `w_j + beta k_j x + gamma` and of
    /// `w_j + beta sigma_j + gamma`.
    fn factors(
        &self,
        inputs: &Inputs<'_>,
        challenge: usize,
        wires: core::ops::Range<usize>,
        pack: usize,
    ) -> (Packed, Packed) {
        let packs = self.points.len() / Packed::WIDTH;
        let beta = inputs.copy.betas[challenge];
        let gamma = inputs.copy.gammas[challenge];
        let beta_x = Packed::pack_slice(self.points)[pack] * beta;
        let values = Packed::pack_slice(&self.wires);
        let sigmas = Packed::pack_slice(&self.sigmas);
        let mut numerator = Packed::ONES;
        let mut denominator = Packed::ONES;
        for j in wires {
            let wire = values[j * packs + pack] + gamma;
            numerator *= wire + beta_x * inputs.common.k_is[j];
            denominator *= wire + sigmas[j * packs + pack] * beta;
        }
        (numerator, denominator)
    }
}
