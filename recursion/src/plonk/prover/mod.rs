//! A prover for plonky2's circuits on Plonky3's kernels. The protocol is plonky2's, with the
//! grinding of [`transcript`](super::transcript): without it the proofs are those of plonky2's own
//! prover.
//!
//! | module | what |
//! | --- | --- |
//! | `witness` | values of the wires |
//! | `products` | products of the copy constraints |
//! | `gates` | constraints of the gates |
//! | `quotient` | quotient of all constraints |
//! | `openings` | values out of the domain, the polynomial that batches them |
//! | `fri` | low-degree test |
//! | `oracle` | DFT and Merkle trees |
//! | `domain` | from plonky2's order of points to Plonky3's |
// What it computes with is its own, not a proof from elsewhere; wrong witnesses become errors.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing
)]

use p3_dft::TwoAdicSubgroupDft as _;
use p3_field::{BasedVectorSpace as _, Field as _, PrimeCharacteristicRing as _};
use p3_matrix::Matrix as _;
use p3_matrix::dense::RowMajorMatrix;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::field::types::Field as _;
use plonky2::iop::generator::generate_partial_witness;
use plonky2::iop::witness::{PartialWitness, PartitionWitness};
use plonky2::plonk::proof::{OpeningSet, Proof, ProofWithPublicInputs};

use super::sponge::{GrindingError, Search};
use super::transcript::{Pair, Transcript};
use super::{
    Circuit, CommonData, D, Grinding, KeccakConfig, Nonces, PlonkError, PlonkField, PlonkProof,
    Trees,
};
use crate::config::{EF, F};
use crate::convert::{from_plonk, to_plonk};
use gates::Gates;
use openings::Polynomials;
use oracle::Kernels;
use witness::Witness;

mod domain;
mod fri;
mod gates;
mod openings;
mod oracle;
mod products;
mod quotient;
#[cfg(test)]
mod tests;
mod witness;

/// Proves a circuit on these inputs.
///
/// # Errors
/// If the inputs do not give every wire a value that its generators agree on, if they break the
/// copy constraints, or if the circuit needs what this prover lacks: lookups, zero knowledge, a
/// degree above the rate. Inputs that only break a gate's constraint may give a proof, which no
/// verifier accepts.
///
/// # Panics
/// If a generator does: plonky2's do where they divide by zero.
pub fn prove(
    circuit: &Circuit,
    grinding: Grinding,
    inputs: PartialWitness<PlonkField>,
) -> Result<PlonkProof, PlonkError> {
    prove_with(circuit, grinding, inputs)
}

/// [`prove`] for a circuit whose proofs have Keccak's trees. The two are functions of their own, so
/// that they are compiled here, optimised, whoever calls them.
///
/// # Errors
/// As [`prove`].
///
/// # Panics
/// As [`prove`].
pub fn prove_keccak(
    circuit: &Circuit<KeccakConfig>,
    grinding: Grinding,
    inputs: PartialWitness<PlonkField>,
) -> Result<PlonkProof<KeccakConfig>, PlonkError> {
    prove_with(circuit, grinding, inputs)
}

fn prove_with<C: Trees>(
    circuit: &Circuit<C>,
    grinding: Grinding,
    inputs: PartialWitness<PlonkField>,
) -> Result<PlonkProof<C>, PlonkError> {
    let partition = generate_partial_witness(inputs, &circuit.prover_only, &circuit.common)
        .map_err(PlonkError)?;
    prove_partition(circuit, grinding, &partition)
}

/// Proves a circuit whose generators have run.
fn prove_partition<C: Trees>(
    circuit: &Circuit<C>,
    grinding: Grinding,
    partition: &PartitionWitness<'_, PlonkField>,
) -> Result<PlonkProof<C>, PlonkError> {
    check(&circuit.common)?;
    let gates = Gates::new(&circuit.common).map_err(|error| PlonkError(error.into()))?;
    let Witness {
        wires,
        public_inputs,
        public_inputs_hash,
    } = Witness::new(circuit, partition)?;
    let config = &circuit.common.config.fri_config;
    let kernels = Kernels::<C>::new(config.rate_bits, config.cap_height);
    let (common, digest) = (&circuit.common, &circuit.verifier_only.circuit_digest);
    let hash = public_inputs_hash.elements;
    let mut transcript = Transcript::new(C::Sponge::default(), common, grinding, digest, hash);

    let values = wires.clone();
    let wires = kernels.commit(wires);
    let copy = transcript.wires(&wires.tree.cap.0);
    let products = products::products(circuit, &values, &copy)?;
    drop(values);
    let products = kernels.commit(products);
    let alphas = transcript.products(&products.tree.cap.0);
    let preprocessed = &circuit.prover_only.constants_sigmas_commitment;
    let quotient = quotient::values(&quotient::Inputs {
        common,
        preprocessed: &preprocessed.merkle_tree.leaves,
        gates,
        public_inputs_hash: &public_inputs_hash,
        wires: wires.tree.leaves(),
        products: products.tree.leaves(),
        copy: &copy,
        alphas: &alphas,
    });
    let quotient = kernels.commit(chunks(&circuit.common, &kernels, quotient)?);
    let polynomials = Polynomials {
        common: &circuit.common,
        preprocessed: &preprocessed.polynomials,
        wires: &wires,
        products: &products,
        quotient: &quotient,
    };
    let (openings, opening_proof, nonces) = open(circuit, &kernels, &mut transcript, &polynomials)?;
    let proof = Proof {
        wires_cap: wires.tree.cap,
        plonk_zs_partial_products_cap: products.tree.cap,
        quotient_polys_cap: quotient.tree.cap,
        openings,
        opening_proof,
    };
    Ok(PlonkProof {
        plonky2: ProofWithPublicInputs {
            proof,
            public_inputs,
        },
        nonces,
    })
}

/// Refuses circuits that this prover cannot prove.
fn check(common: &CommonData) -> Result<(), PlonkError> {
    if !common.luts.is_empty() || common.num_lookup_polys > 0 {
        return Err(unsupported("lookups"));
    }
    if common.config.zero_knowledge || common.fri_params.hiding {
        return Err(unsupported("zero knowledge"));
    }
    if quotient::log_degree(common) > common.config.fri_config.rate_bits {
        return Err(unsupported("constraints of a degree above the rate"));
    }
    if quotient::log_points(common) < quotient::LOG_PACK {
        return Err(unsupported("fewer points than are computed on at once"));
    }
    Ok(())
}

/// From the quotients' values to those of their chunks on Plonky3's subgroup, where chunk `i` has
/// the coefficients from `i` times the rows on.
fn chunks<C: Trees>(
    common: &CommonData,
    kernels: &Kernels<C>,
    values: RowMajorMatrix<F>,
) -> Result<RowMajorMatrix<F>, PlonkError> {
    let width = values.width;
    let coefficients = kernels.dft.coset_idft_batch(values, domain::shift()).values;
    let (rows, chunks) = (common.degree(), common.quotient_degree_factor);
    let (used, unused) = coefficients.split_at(rows * chunks * width);
    if unused.iter().any(|coefficient| !coefficient.is_zero()) {
        return Err(constraints_do_not_hold());
    }
    let mut chunked = vec![F::ZERO; used.len()];
    for (index, coefficients) in used.chunks_exact(width).enumerate() {
        let (chunk, row) = (index / rows, index % rows);
        for (challenge, &coefficient) in coefficients.iter().enumerate() {
            chunked[(row * width + challenge) * chunks + chunk] = coefficient;
        }
    }
    let chunked = RowMajorMatrix::new(chunked, width * chunks);
    let values = kernels.dft.dft_batch(chunked);
    Ok(values.to_row_major_matrix())
}

/// The opened values, the proof that they are right, and the nonces.
type Opened<C> = (OpeningSet<PlonkField, D>, fri::Proof<C>, Nonces<PlonkField>);

/// Opens all polynomials at zeta and every `Z` one row on, and proves these values.
fn open<C: Trees>(
    circuit: &Circuit<C>,
    kernels: &Kernels<C>,
    transcript: &mut Transcript<'_, C::Sponge>,
    polynomials: &Polynomials<'_, C>,
) -> Result<Opened<C>, PlonkError> {
    let log_rows = circuit.common.degree_bits();
    let mut nonces = Nonces::default();
    let cap = &polynomials.quotient.tree.cap.0;
    let zeta = transcript
        .quotient(cap, seek(&mut nonces.point))
        .map_err(failed)?;
    let zeta = element(zeta);
    if zeta.exp_power_of_2(log_rows) == EF::ONE {
        return Err(unsupported("an out-of-domain point in the domain"));
    }
    let next = zeta * from_plonk(PlonkField::primitive_root_of_unity(log_rows));
    let openings = polynomials.open(zeta, next);
    let alpha = transcript
        .openings(&openings.words(), seek(&mut nonces.batch))
        .map_err(failed)?;
    let batch = polynomials.batch(element(alpha), zeta, next);
    let (proof, folds) = fri::prove(circuit, kernels, transcript, polynomials, batch)?;
    nonces.folds = folds;
    Ok((openings.set(&circuit.common), proof, nonces))
}

/// Returns the search of a nonce, which also writes it down.
fn seek<S: Search>(nonce: &mut PlonkField) -> impl FnOnce(&S, u32) -> PlonkField {
    |sponge, bits| {
        *nonce = sponge.search(bits);
        *nonce
    }
}

/// An element of the extension as the transcript has it.
fn pair(element: EF) -> Pair<PlonkField> {
    let coordinates: &[F] = element.as_basis_coefficients_slice();
    core::array::from_fn(|i| to_plonk(coordinates[i]))
}

/// The inverse of [`pair`].
fn element(pair: Pair<PlonkField>) -> EF {
    EF::from_basis_coefficients_fn(|i| from_plonk(pair[i]))
}

/// plonky2's type of the same element.
fn extension(element: EF) -> QuadraticExtension<PlonkField> {
    QuadraticExtension(pair(element))
}

fn unsupported(what: &str) -> PlonkError {
    PlonkError(anyhow::anyhow!("this prover does not support {what}"))
}

fn constraints_do_not_hold() -> PlonkError {
    PlonkError(anyhow::anyhow!("the constraints do not hold"))
}

fn failed(error: GrindingError) -> PlonkError {
    PlonkError(anyhow::Error::new(error))
}
