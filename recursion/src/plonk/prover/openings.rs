//! The polynomials' values at the out-of-domain points, and the one polynomial whose low degree
//! shows that they are right.

use p3_field::PackedFieldExtension as _;
use p3_field::{ExtensionField, PrimeCharacteristicRing as _};
use p3_matrix::Matrix as _;
use p3_util::reverse_slice_index_bits;
use plonky2::field::polynomial::PolynomialCoeffs;
use plonky2::plonk::proof::OpeningSet;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, IntoParallelRefMutIterator as _,
    ParallelIterator as _,
};
use rayon::slice::ParallelSliceMut as _;

use super::oracle::Oracle;
use crate::config::{EF, F};
use crate::convert::from_plonk;
use crate::plonk::transcript::Pair;
use crate::plonk::{CommonData, D, PlonkField, Trees};

/// Elements of a column that are read at once.
const BLOCK: usize = 1 << 12;

/// All polynomials.
pub struct Polynomials<'a, C: Trees> {
    /// What fixes how many there are.
    pub common: &'a CommonData,
    /// Constants and sigmas.
    pub preprocessed: &'a [PolynomialCoeffs<PlonkField>],
    /// The wires.
    pub wires: &'a Oracle<C>,
    /// The products, every `Z` first.
    pub products: &'a Oracle<C>,
    /// The quotients' chunks.
    pub quotient: &'a Oracle<C>,
}

/// Values at the out-of-domain point zeta and one row on from it.
pub struct Openings {
    /// Of all polynomials, at zeta.
    local: Vec<EF>,
    /// Of every `Z`, one row on.
    next: Vec<EF>,
}

impl Openings {
    /// Returns the values in the order in which the transcript observes them.
    pub fn words(&self) -> Vec<Pair<PlonkField>> {
        let values = self.local.iter().chain(&self.next);
        values.map(|&value| super::pair(value)).collect()
    }

    /// plonky2's form.
    pub fn set(&self, common: &CommonData) -> OpeningSet<PlonkField, D> {
        let values: Vec<_> = self
            .local
            .iter()
            .map(|&value| super::extension(value))
            .collect();
        let challenges = common.config.num_challenges;
        let rest = &mut values.as_slice();
        OpeningSet {
            constants: take(rest, common.num_constants),
            plonk_sigmas: take(rest, common.config.num_routed_wires),
            wires: take(rest, common.config.num_wires),
            plonk_zs: take(rest, challenges),
            plonk_zs_next: self
                .next
                .iter()
                .map(|&value| super::extension(value))
                .collect(),
            partial_products: take(rest, challenges * common.num_partial_products),
            quotient_polys: rest.to_vec(),
            lookup_zs: vec![],
            lookup_zs_next: vec![],
        }
    }
}

/// Takes values off the front.
fn take<T: Copy>(rest: &mut &[T], count: usize) -> Vec<T> {
    let (taken, others) = rest.split_at(count);
    *rest = others;
    taken.to_vec()
}

impl<C: Trees> Polynomials<'_, C> {
    fn oracles(&self) -> [&Oracle<C>; 3] {
        [self.wires, self.products, self.quotient]
    }

    /// Returns all values at zeta, and those of every `Z` at `next`.
    pub fn open(&self, zeta: EF, next: EF) -> Openings {
        let mut powers = zeta.powers().collect_n(self.common.degree());
        let mut local: Vec<EF> = self
            .preprocessed
            .par_iter()
            .map(|polynomial| {
                let terms = polynomial.coeffs.iter().zip(&powers);
                terms
                    .map(|(&value, &power)| power * from_plonk(value))
                    .sum()
            })
            .collect();
        reverse_slice_index_bits(&mut powers);
        for oracle in self.oracles() {
            local.extend(oracle.coefficients.columnwise_dot_product(&powers));
        }
        let mut powers = next.powers().collect_n(self.common.degree());
        reverse_slice_index_bits(&mut powers);
        let mut next = self.products.coefficients.columnwise_dot_product(&powers);
        next.truncate(self.common.config.num_challenges);
        Openings { local, next }
    }

    /// Returns the coefficients of the batch polynomial: `alpha^c (A(X) - A(zeta)) / (X - zeta) +
    /// (B(X) - B(next)) / (X - next)`, where `A` is the sum of all polynomials by powers of alpha
    /// and `B` that of the `c` polynomials `Z`.
    pub fn batch(&self, alpha: EF, zeta: EF, next: EF) -> Vec<EF> {
        let challenges = self.common.config.num_challenges;
        let all = divide_by_linear(self.all(alpha), zeta);
        let zs = divide_by_linear(self.zs(alpha, challenges), next);
        let scale = alpha.exp_u64(challenges as u64);
        let pairs = all.into_iter().zip(zs);
        pairs.map(|(a, b)| a * scale + b).collect()
    }

    /// The sum of all polynomials by powers of alpha.
    fn all(&self, alpha: EF) -> Vec<EF> {
        let width = self
            .common
            .config
            .num_wires
            .max(self.products.coefficients.width);
        let width = width.max(self.quotient.coefficients.width);
        let powers: Vec<_> =
            <EF as ExtensionField<F>>::ExtensionPacking::packed_ext_powers_capped(alpha, width)
                .collect();
        let mut sums = vec![EF::ZERO; self.common.degree()];
        let mut scale = alpha.exp_u64(self.preprocessed.len() as u64);
        for oracle in self.oracles() {
            let terms = oracle
                .coefficients
                .rowwise_packed_dot_product::<EF>(&powers);
            sums.par_iter_mut()
                .zip(terms)
                .for_each(|(sum, term)| *sum += scale * term);
            scale *= alpha.exp_u64(oracle.coefficients.width as u64);
        }
        reverse_slice_index_bits(&mut sums);
        let powers = alpha.powers().collect_n(self.preprocessed.len());
        sums.par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(i, sums)| {
                for (polynomial, &power) in self.preprocessed.iter().zip(&powers) {
                    let coefficients = &polynomial.coeffs[i * BLOCK..];
                    for (sum, &value) in sums.iter_mut().zip(coefficients) {
                        *sum += power * from_plonk(value);
                    }
                }
            });
        sums
    }

    /// The sum of every `Z` by powers of alpha.
    fn zs(&self, alpha: EF, challenges: usize) -> Vec<EF> {
        let powers = alpha.powers().collect_n(challenges);
        let rows = self.products.coefficients.row_slices();
        let mut sums: Vec<EF> = rows
            .map(|row| {
                powers
                    .iter()
                    .zip(row)
                    .map(|(&power, &value)| power * value)
                    .sum()
            })
            .collect();
        reverse_slice_index_bits(&mut sums);
        sums
    }
}

/// Returns the quotient of a polynomial by `X - point`, without the remainder, as many
/// coefficients as before.
fn divide_by_linear(mut coefficients: Vec<EF>, point: EF) -> Vec<EF> {
    let mut carry = EF::ZERO;
    for coefficient in coefficients.iter_mut().rev() {
        let next = carry * point + *coefficient;
        *coefficient = carry;
        carry = next;
    }
    coefficients
}
