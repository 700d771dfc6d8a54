//! The low-degree test: foldings, final polynomial, queries.

use p3_field::{BasedVectorSpace as _, PrimeCharacteristicRing as _};
use p3_matrix::dense::RowMajorMatrix;
use p3_util::log2_strict_usize;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::polynomial::PolynomialCoeffs;
use plonky2::field::types::PrimeField64 as _;
use plonky2::fri::proof::{FriInitialTreeProof, FriProof, FriQueryRound, FriQueryStep};
use plonky2::plonk::config::GenericConfig;

use super::domain::{LeafOrder, shift};
use super::openings::Polynomials;
use super::oracle::{Kernels, Tree};
use super::{element, extension, failed, pair, seek};
use crate::config::{EF, F};
use crate::plonk::transcript::Transcript;
use crate::plonk::{Circuit, D, PlonkError, PlonkField, Trees};

/// plonky2's form of the test's proof.
pub type Proof<C> = FriProof<PlonkField, <C as GenericConfig<D>>::Hasher, D>;
/// plonky2's form of the answers to a query.
type Round<C> = FriQueryRound<PlonkField, <C as GenericConfig<D>>::Hasher, D>;

/// A codeword to which the prover has committed.
struct Layer<C: Trees> {
    tree: Tree<C, RowMajorMatrix<F>>,
    log_arity: usize,
}

/// Proves that the polynomial of these coefficients, which combines all others, has a low degree.
/// Also returns the nonces of the foldings.
pub fn prove<C: Trees>(
    circuit: &Circuit<C>,
    kernels: &Kernels<C>,
    transcript: &mut Transcript<'_, C::Sponge>,
    polynomials: &Polynomials<'_, C>,
    mut coefficients: Vec<EF>,
) -> Result<(Proof<C>, Vec<PlonkField>), PlonkError> {
    let fri = &circuit.common.fri_params;
    let mut layers = Vec::new();
    let mut nonces = Vec::new();
    let mut shift = shift();
    for &log_arity in &fri.reduction_arity_bits {
        let tree = kernels.tree(layer(kernels, &coefficients, shift, log_arity));
        let mut nonce = PlonkField::default();
        let beta = transcript
            .round(&tree.cap.0, seek(&mut nonce))
            .map_err(failed)?;
        coefficients = fold(&coefficients, log_arity, element(beta));
        shift = shift.exp_power_of_2(log_arity);
        layers.push(Layer { tree, log_arity });
        nonces.push(nonce);
    }
    let words: Vec<_> = coefficients.iter().map(|&value| pair(value)).collect();
    let mut pow_witness = PlonkField::default();
    let (_, queries) = transcript.queries(&words, seek(&mut pow_witness));
    let leaves = 1 << fri.lde_bits();
    let answers = queries.into_iter().map(|query| {
        let leaf = query.to_canonical_u64() % leaves;
        answer(
            circuit,
            polynomials,
            &layers,
            usize::try_from(leaf).unwrap_or_default(),
        )
    });
    let final_poly = coefficients.into_iter().map(extension).collect();
    let proof = FriProof {
        query_round_proofs: answers.collect(),
        commit_phase_merkle_caps: layers.into_iter().map(|layer| layer.tree.cap).collect(),
        final_poly: PolynomialCoeffs::new(final_poly),
        pow_witness,
    };
    Ok((proof, nonces))
}

/// Returns the codeword on the coset of this shift, in plonky2's order of leaves, so many elements
/// to a leaf.
fn layer<C: Trees>(
    kernels: &Kernels<C>,
    coefficients: &[EF],
    shift: F,
    log_arity: usize,
) -> RowMajorMatrix<F> {
    let rows = RowMajorMatrix::new(EF::flatten_to_base(coefficients.to_vec()), D);
    let codeword = kernels.codeword(rows, shift).values;
    let log_height = log2_strict_usize(codeword.len() / D);
    let order = LeafOrder { log_height };
    let leaves = (0..1 << log_height).flat_map(|leaf| {
        let start = order.row(leaf) * D;
        [codeword[start], codeword[start + 1]]
    });
    RowMajorMatrix::new(leaves.collect(), D << log_arity)
}

/// From `P(X) = sum_i X^i P_i(X^arity)` to `sum_i beta^i P_i(X)`.
fn fold(coefficients: &[EF], log_arity: usize, beta: EF) -> Vec<EF> {
    let chunks = coefficients.chunks(1 << log_arity);
    let horner = |chunk: &[EF]| {
        let terms = chunk.iter().rev();
        terms.fold(EF::ZERO, |sum, &coefficient| sum * beta + coefficient)
    };
    chunks.map(horner).collect()
}

/// Opens all trees where a query asks.
fn answer<C: Trees>(
    circuit: &Circuit<C>,
    polynomials: &Polynomials<'_, C>,
    layers: &[Layer<C>],
    mut leaf: usize,
) -> Round<C> {
    let preprocessed = &circuit.prover_only.constants_sigmas_commitment.merkle_tree;
    let evals_proofs = vec![
        (preprocessed.get(leaf).to_vec(), preprocessed.prove(leaf)),
        polynomials.wires.tree.open(leaf),
        polynomials.products.tree.open(leaf),
        polynomials.quotient.tree.open(leaf),
    ];
    let steps = layers.iter().map(|layer| {
        leaf >>= layer.log_arity;
        let (values, merkle_proof) = layer.tree.open(leaf);
        let (pairs, _) = values.as_chunks();
        FriQueryStep {
            evals: pairs
                .iter()
                .map(|&words| QuadraticExtension(words))
                .collect(),
            merkle_proof,
        }
    });
    FriQueryRound {
        steps: steps.collect(),
        initial_trees_proof: FriInitialTreeProof { evals_proofs },
    }
}
