//! The products of the copy-constraint argument.
//!
//! For each challenge, column `Z` starts with 1 and is multiplied in each row by the quotients
//! `(w_j + beta k_j x + gamma) / (w_j + beta sigma_j + gamma)` of all routed wires `w_j`. The
//! quotients are taken in chunks as long as the constraints' degree allows, and the product after
//! each chunk but the last has a column of its own.

use p3_field::{Field as _, PrimeCharacteristicRing as _, batch_multiplicative_inverse};
use p3_matrix::Matrix as _;
use p3_matrix::dense::RowMajorMatrix;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use super::constraints_do_not_hold;
use super::domain::to_plonky3;
use crate::config::F;
use crate::convert::from_plonk;
use crate::plonk::transcript::CopyChallenges;
use crate::plonk::{Circuit, PlonkError, PlonkField, Trees};

/// Rows whose denominators are inverted at once.
const ROWS: usize = 64;

/// One challenge of the argument.
struct Challenge {
    /// beta times the factor `k_j` of each routed wire.
    beta_ks: Vec<F>,
    beta: F,
    gamma: F,
}

impl Challenge {
    fn all<C: Trees>(circuit: &Circuit<C>, challenges: &CopyChallenges<PlonkField>) -> Vec<Self> {
        let ks = &circuit.common.k_is;
        let pairs = challenges.betas.iter().zip(&challenges.gammas);
        pairs
            .map(|(&beta, &gamma)| Self {
                beta_ks: ks.iter().map(|&k| from_plonk(beta * k)).collect(),
                beta: from_plonk(beta),
                gamma: from_plonk(gamma),
            })
            .collect()
    }
}

/// Returns the columns as plonky2 orders them, every challenge's `Z` first, in rows of Plonky3's
/// domain. `wires` are such rows too.
pub fn products<C: Trees>(
    circuit: &Circuit<C>,
    wires: &RowMajorMatrix<F>,
    challenges: &CopyChallenges<PlonkField>,
) -> Result<RowMajorMatrix<F>, PlonkError> {
    let challenges = Challenge::all(circuit, challenges);
    let chunks = circuit.common.num_partial_products + 1;
    let width = challenges.len() * chunks;
    let mut quotients = vec![F::ZERO; width * wires.height()];
    let defined = quotients
        .par_chunks_mut(ROWS * width)
        .enumerate()
        .map(|(block, quotients)| {
            let denominators = fill(circuit, wires, &challenges, block * ROWS, quotients);
            if denominators.iter().any(|denominator| denominator.is_zero()) {
                return false;
            }
            let inverses = batch_multiplicative_inverse(&denominators);
            for (quotient, inverse) in quotients.iter_mut().zip(inverses) {
                *quotient *= inverse;
            }
            true
        })
        .reduce(|| true, |a, b| a && b);
    if !defined {
        let error = anyhow::anyhow!("a denominator of the copy constraints is zero");
        return Err(PlonkError(error));
    }
    accumulate(&quotients, challenges.len(), chunks)
}

/// Fills the quotients' numerators from a row of plonky2's domain on, and returns their
/// denominators: for each row and challenge, one product for each chunk.
fn fill<C: Trees>(
    circuit: &Circuit<C>,
    wires: &RowMajorMatrix<F>,
    challenges: &[Challenge],
    start: usize,
    numerators: &mut [F],
) -> Vec<F> {
    let common = &circuit.common;
    let prover = &circuit.prover_only;
    let chunk = common.quotient_degree_factor;
    let chunks = common.num_partial_products + 1;
    let mut denominators = vec![F::ONE; numerators.len()];
    let rows = numerators.chunks_exact_mut(chunks * challenges.len());
    let rows = rows.zip(denominators.chunks_exact_mut(chunks * challenges.len()));
    for (index, (numerators, denominators)) in (start..).zip(rows) {
        let x = from_plonk(prover.subgroup[index]);
        let place = to_plonky3(index, common.degree_bits()) * wires.width;
        let row = &wires.values[place..place + common.config.num_routed_wires];
        let sigmas: Vec<F> = prover.sigmas[index]
            .iter()
            .map(|&s| from_plonk(s))
            .collect();
        let places = numerators.chunks_exact_mut(chunks);
        let places = places.zip(denominators.chunks_exact_mut(chunks));
        for (challenge, (numerators, denominators)) in challenges.iter().zip(places) {
            let wires = row.chunks(chunk).zip(sigmas.chunks(chunk));
            let factors = wires.zip(challenge.beta_ks.chunks(chunk));
            let places = numerators.iter_mut().zip(denominators);
            for ((numerator, denominator), ((wires, sigmas), beta_ks)) in places.zip(factors) {
                *numerator = F::ONE;
                for ((&wire, &sigma), &beta_k) in wires.iter().zip(sigmas).zip(beta_ks) {
                    let wire = wire + challenge.gamma;
                    *numerator *= wire + beta_k * x;
                    *denominator *= wire + challenge.beta * sigma;
                }
            }
        }
    }
    denominators
}

/// Multiplies the quotients up, row by row of plonky2's domain.
fn accumulate(
    quotients: &[F],
    challenges: usize,
    chunks: usize,
) -> Result<RowMajorMatrix<F>, PlonkError> {
    let width = challenges * chunks;
    let log_rows = p3_util::log2_strict_usize(quotients.len() / width);
    let mut values = vec![F::ZERO; quotients.len()];
    let mut products = vec![F::ONE; challenges];
    for (index, quotients) in quotients.chunks_exact(width).enumerate() {
        let place = to_plonky3(index, log_rows) * width;
        let (zs, partials) = values[place..place + width].split_at_mut(challenges);
        zs.copy_from_slice(&products);
        for (i, product) in products.iter_mut().enumerate() {
            let (last, inner) = quotients[i * chunks..(i + 1) * chunks]
                .split_last()
                .unwrap_or((&F::ONE, &[]));
            let partials = &mut partials[i * inner.len()..];
            for (partial, &quotient) in partials.iter_mut().zip(inner) {
                *product *= quotient;
                *partial = *product;
            }
            *product *= *last;
        }
    }
    if products.iter().any(|&product| product != F::ONE) {
        return Err(constraints_do_not_hold());
    }
    Ok(RowMajorMatrix::new(values, width))
}
