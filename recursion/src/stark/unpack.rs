//! From a proof as Plonky3 makes it to the parts that the circuit verifies.
//!
//! Plonky3 authenticates all queries of a tree by one pruned set of siblings. To give each
//! query its own path, the transcript is replayed for the query indices, and the paths are
//! recomputed from the opened rows. Every length is checked against the shape; nothing here
//! replaces a check of the circuit.

mod queries;

use p3_commit::PolynomialSpace;
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use p3_lookup::LookupTerminal;
use p3_merkle_tree::MerkleCap;

use self::queries::{unpack_folds, unpack_inputs};
use super::error::{RecursionError, check_length, check_presence};
use super::layout::{Cap, Digest, MatrixShape, Oracle};
use super::parts::{Claims, Pair, ProofParts, QueryParts, RoundParts};
use super::shape::{ProofShape, trace_domain};
use super::transcript::derive_challenges;
use crate::config::{Challenger, EF, F, StarkParameters, StarkProof, permutation};

/// Takes a proof apart, as the shape says it must be made.
pub(super) fn unpack(
    shape: &ProofShape,
    proof: &StarkProof,
    public_values: &[Vec<F>],
) -> Result<ProofParts<F>, RecursionError> {
    check_instances(shape, proof, public_values)?;
    let mut parts = unpack_messages(shape, proof)?;
    let mut challenger = Challenger::new(permutation());
    let challenges = derive_challenges(&mut challenger, shape, &parts, public_values)?;
    check_point(shape, extension(&challenges.point))?;
    let mut inputs = unpack_inputs(shape, proof, &challenges.indices)?.into_iter();
    let mut folds = unpack_folds(shape, proof, &parts, &challenges)?.into_iter();
    parts.queries = (0..shape.parameters.queries)
        .map(|_| QueryParts {
            inputs: inputs.next().unwrap_or_default(),
            folds: folds.next().unwrap_or_default(),
        })
        .collect();
    Ok(parts)
}

/// Checks that `zeta` is in no table's domain, where the selectors are not defined.
fn check_point(shape: &ProofShape, zeta: EF) -> Result<(), RecursionError> {
    let mut domains = shape
        .tables
        .iter()
        .map(|table| trace_domain(table.log_degree));
    if domains.any(|domain| domain.vanishing_poly_at_point(zeta).is_zero()) {
        return Err(RecursionError::PointInDomain);
    }
    Ok(())
}

/// Checks everything that is counted per table.
fn check_instances(
    shape: &ProofShape,
    proof: &StarkProof,
    public_values: &[Vec<F>],
) -> Result<(), RecursionError> {
    let tables = shape.tables.len();
    check_length("public values", tables, public_values.len())?;
    check_length("degree bits", tables, proof.degree_bits.len())?;
    check_length("terminals", tables, proof.lookup_terminals.len())?;
    let instances = &proof.opened_values.instances;
    check_length("opened tables", tables, instances.len())?;
    check_presence(
        "random commitment",
        false,
        proof.commitments.random.is_some(),
    )?;

    for (i, table) in shape.tables.iter().enumerate() {
        check_length(
            "public values of a table",
            table.public_values,
            public_values[i].len(),
        )?;
        if proof.degree_bits[i] != table.log_degree {
            return Err(RecursionError::Height {
                table: i,
                expected: table.log_degree,
                found: proof.degree_bits[i],
            });
        }
        let looks_up = table.lookups > 0;
        check_presence("terminal", looks_up, proof.lookup_terminals[i].is_some())?;
        let values = &instances[i].base_opened_values;
        check_presence("random values", false, values.random.is_some())?;
        let has_preprocessed = table.preprocessed_width > 0;
        check_presence(
            "preprocessed values",
            has_preprocessed,
            values.preprocessed.is_some(),
        )?;
        check_length(
            "quotient chunks",
            table.chunks.len(),
            values.quotient_chunks.len(),
        )?;
        if !looks_up {
            let local = instances[i].permutation_local.len();
            let next = instances[i].permutation_next.len();
            check_length("lookup columns", 0, local + next)?;
        }
    }
    Ok(())
}

/// Everything but the queries.
fn unpack_messages(
    shape: &ProofShape,
    proof: &StarkProof,
) -> Result<ProofParts<F>, RecursionError> {
    let parameters = &shape.parameters;
    let looks_up = shape.lookup_tables() > 0;
    let commitments = &proof.commitments;
    check_presence(
        "lookup commitment",
        looks_up,
        commitments.permutation.is_some(),
    )?;
    let witness = proof.lookup_pow_witness;
    check_presence("lookup grinding witness", looks_up, witness.is_some())?;

    let mut caps = vec![
        cap(parameters, &commitments.main)?,
        cap(parameters, &commitments.quotient_chunks)?,
    ];
    if let Some(permutation) = &commitments.permutation {
        caps.push(cap(parameters, permutation)?);
    }
    let fri = &proof.opening_proof;
    let rounds = shape.log_arities.len();
    check_length("rounds", rounds, fri.commit_phase_commits.len())?;
    check_length(
        "fold grinding witnesses",
        rounds,
        fri.commit_pow_witnesses.len(),
    )?;
    let final_poly_len = 1 << parameters.log_final_poly_len;
    check_length("final polynomial", final_poly_len, fri.final_poly.len())?;
    let mut round_parts = Vec::with_capacity(rounds);
    for (commitment, &witness) in fri
        .commit_phase_commits
        .iter()
        .zip(&fri.commit_pow_witnesses)
    {
        round_parts.push(RoundParts {
            cap: cap(parameters, commitment)?,
            witness: grinding(parameters.fold_grinding, witness)?,
        });
    }
    let terminals = proof.lookup_terminals.iter().flatten();
    Ok(ProofParts {
        caps,
        lookup_witness: match witness {
            Some(witness) => grinding(parameters.lookup_grinding, witness)?,
            None => None,
        },
        terminals: terminals.map(|LookupTerminal(sum)| pair(sum)).collect(),
        point_witness: grinding(parameters.point_grinding, proof.ood_pow_witness)?,
        openings: unpack_openings(shape, proof)?,
        batch_witness: grinding(parameters.batch_grinding, fri.batch_pow_witness)?,
        rounds: round_parts,
        final_poly: fri.final_poly.iter().map(pair).collect(),
        query_witness: grinding(parameters.query_grinding, fri.query_pow_witness)?,
        queries: Vec::new(),
    })
}

/// The claimed values in the order of the commitments.
fn unpack_openings(shape: &ProofShape, proof: &StarkProof) -> Result<Claims<F>, RecursionError> {
    let mut openings = Vec::with_capacity(shape.commitments.len());
    for commitment in &shape.commitments {
        let mut matrices = Vec::with_capacity(commitment.matrices.len());
        for (m, matrix) in commitment.matrices.iter().enumerate() {
            let (local, next) = claimed(shape, proof, commitment.oracle, m, matrix)?;
            check_length("claimed values", matrix.width, local.len())?;
            check_presence(
                "claimed values of the next row",
                matrix.next,
                next.is_some(),
            )?;
            let mut points = vec![local.iter().map(pair).collect()];
            if let Some(next) = next {
                check_length("claimed values of the next row", matrix.width, next.len())?;
                points.push(next.iter().map(pair).collect());
            }
            matrices.push(points);
        }
        openings.push(matrices);
    }
    Ok(openings)
}

/// The values claimed for matrix `m` of a commitment, at `zeta` and at the next row.
fn claimed<'a>(
    shape: &ProofShape,
    proof: &'a StarkProof,
    oracle: Oracle,
    m: usize,
    matrix: &MatrixShape,
) -> Result<(&'a [EF], Option<&'a [EF]>), RecursionError> {
    let missing = RecursionError::Presence {
        part: "claimed values",
        expected: true,
    };
    let Some(instance) = proof.opened_values.instances.get(matrix.table) else {
        return Err(missing);
    };
    let values = &instance.base_opened_values;
    match oracle {
        Oracle::Main => Ok((&values.trace_local, values.trace_next.as_deref())),
        Oracle::Quotient => {
            let chunk = m - shape.tables[matrix.table].chunks.start;
            let chunk = values.quotient_chunks.get(chunk).ok_or(missing)?;
            Ok((chunk, None))
        }
        Oracle::Preprocessed => {
            let preprocessed = values.preprocessed.as_ref().ok_or(missing)?;
            Ok((&preprocessed.local, preprocessed.next.as_deref()))
        }
        Oracle::Permutation => Ok((
            &instance.permutation_local,
            Some(&instance.permutation_next),
        )),
    }
}

/// The roots of a commitment.
fn cap(
    parameters: &StarkParameters,
    commitment: &MerkleCap<F, Digest<F>>,
) -> Result<Cap<F>, RecursionError> {
    let roots = commitment.roots();
    check_length(
        "roots of a commitment",
        1 << parameters.log_cap,
        roots.len(),
    )?;
    Ok(roots.to_vec())
}

/// The witness of a grinding site, which must be zero where nothing is ground.
fn grinding(bits: usize, witness: F) -> Result<Option<F>, RecursionError> {
    match bits {
        0 if witness != F::ZERO => Err(RecursionError::Grinding { bits }),
        0 => Ok(None),
        _ => Ok(Some(witness)),
    }
}

fn pair(value: &EF) -> Pair<F> {
    let coefficients = value.as_basis_coefficients_slice();
    core::array::from_fn(|i| coefficients[i])
}

fn extension(pair: &Pair<F>) -> EF {
    EF::from_basis_coefficients_fn(|i| pair[i])
}
