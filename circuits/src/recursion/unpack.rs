//! From a proof as Plonky3 makes it to the parts that the circuit verifies.
//!
//! Plonky3 authenticates all queries of a tree by one pruned set of siblings. To give each
//! query its own path, the transcript is replayed for the query indices, and the paths are
//! recomputed from the opened rows. Every length is checked against the shape; nothing here
//! replaces a check of the circuit.

use core::marker::PhantomData;

use p3_commit::{CommitmentOpening, MatrixOpening, PointOpening};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, TwoAdicField};
use p3_fri::verifier::{FriOpenings, fold_query, open_inputs};
use p3_fri::{TwoAdicFriFolding, TwoAdicFriFoldingForMmcs};
use p3_goldilocks::default_goldilocks_poseidon2_12;
use p3_lookup::LookupTerminal;
use p3_matrix::Dimensions;
use p3_merkle_tree::MerkleCap;

use super::error::{RecursionError, check_length, check_presence};
use super::parts::{Digest, FoldOpening, Pair, ProofParts, QueryParts, RoundParts, RowOpening};
use super::shape::{MatrixShape, Oracle, ProofShape, trace_domain};
use super::transcript::{Challenges, replay};
use crate::config::{ChallengeMmcs, Challenger, EF, F, StarkProof, ValMmcs, mmcs};

/// Takes a proof apart, as the shape says it must be made.
pub(super) fn unpack(
    shape: &ProofShape,
    proof: &StarkProof,
    public_values: &[Vec<F>],
) -> Result<ProofParts<F>, RecursionError> {
    check_instances(shape, proof, public_values)?;
    let mut parts = unpack_messages(shape, proof)?;
    let mut challenger = Challenger::new(default_goldilocks_poseidon2_12());
    let challenges = replay(&mut challenger, shape, &parts, public_values)?;
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

    let mut roots = vec![
        root(&commitments.main)?,
        root(&commitments.quotient_chunks)?,
    ];
    if let Some(permutation) = &commitments.permutation {
        roots.push(root(permutation)?);
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
            commitment: root(commitment)?,
            witness: grinding(parameters.fold_grinding, witness)?,
        });
    }
    let terminals = proof.lookup_terminals.iter().flatten();
    Ok(ProofParts {
        roots,
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
fn unpack_openings(
    shape: &ProofShape,
    proof: &StarkProof,
) -> Result<Vec<Vec<Vec<Vec<Pair<F>>>>>, RecursionError> {
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

/// By query and commitment: the opened rows and their paths.
fn unpack_inputs(
    shape: &ProofShape,
    proof: &StarkProof,
    indices: &[usize],
) -> Result<Vec<Vec<RowOpening<F>>>, RecursionError> {
    let openings = &proof.opening_proof.input_openings;
    check_length(
        "opened commitments",
        shape.commitments.len(),
        openings.len(),
    )?;
    let mmcs = mmcs();
    let mut queries: Vec<Vec<RowOpening<F>>> = indices.iter().map(|_| Vec::new()).collect();
    for (commitment, opening) in shape.commitments.iter().zip(openings) {
        let dimensions: Vec<_> = commitment
            .matrices
            .iter()
            .map(|matrix| Dimensions {
                width: matrix.width,
                height: 1 << matrix.log_height,
            })
            .collect();
        let shift = shape.log_max_height - commitment.log_height();
        let indices: Vec<usize> = indices.iter().map(|index| index >> shift).collect();
        let paths = paths(
            &mmcs,
            &dimensions,
            &indices,
            &opening.opened_values,
            &opening.opening_proof,
        )?;
        for ((query, rows), siblings) in queries.iter_mut().zip(&opening.opened_values).zip(paths) {
            query.push(RowOpening {
                rows: rows.clone(),
                siblings,
            });
        }
    }
    Ok(queries)
}

/// By query and round: the folded groups and their paths.
fn unpack_folds(
    shape: &ProofShape,
    proof: &StarkProof,
    parts: &ProofParts<F>,
    challenges: &Challenges<F, usize>,
) -> Result<Vec<Vec<FoldOpening<F>>>, RecursionError> {
    let steps = &proof.opening_proof.commit_phase_openings;
    check_length("opened rounds", shape.log_arities.len(), steps.len())?;
    for (step, &log_arity) in steps.iter().zip(&shape.log_arities) {
        let queries = shape.parameters.queries;
        check_length("queries of a round", queries, step.sibling_values.len())?;
        for siblings in &step.sibling_values {
            check_length("values of a group", (1 << log_arity) - 1, siblings.len())?;
        }
    }
    let (indices, groups) = fold_queries(shape, proof, parts, challenges)?;

    let mmcs = mmcs();
    let mut queries: Vec<Vec<FoldOpening<F>>> =
        (0..shape.parameters.queries).map(|_| Vec::new()).collect();
    let mut log_height = shape.log_max_height;
    for (round, (step, &log_arity)) in steps.iter().zip(&shape.log_arities).enumerate() {
        log_height -= log_arity;
        let dimensions = [Dimensions {
            width: 2 << log_arity,
            height: 1 << log_height,
        }];
        let rows: Vec<Vec<Vec<F>>> = groups[round]
            .iter()
            .map(|group| vec![group.iter().flatten().flat_map(pair).collect()])
            .collect();
        let proof = &step.opening_proof;
        let paths = paths(&mmcs, &dimensions, &indices[round], &rows, proof)?;
        for ((query, group), siblings) in queries.iter_mut().zip(&groups[round]).zip(paths) {
            query.push(FoldOpening {
                values: group.iter().flatten().map(pair).collect(),
                siblings,
            });
        }
    }
    Ok(queries)
}

/// By round and query: the index of a group, and its rows (always one).
type Groups = (Vec<Vec<usize>>, Vec<Vec<Vec<Vec<EF>>>>);

/// Folds each query as the native verifier does, to know the one value of each group that the
/// proof leaves out.
fn fold_queries(
    shape: &ProofShape,
    proof: &StarkProof,
    parts: &ProofParts<F>,
    challenges: &Challenges<F, usize>,
) -> Result<Groups, RecursionError> {
    let reduced = reduced_openings(shape, proof, parts, challenges)?;
    let folding: TwoAdicFriFoldingForMmcs<F, ValMmcs> = TwoAdicFriFolding(PhantomData);
    let betas: Vec<EF> = challenges.folds.iter().map(extension).collect();
    let rounds = shape.log_arities.len();
    let mut indices = vec![Vec::new(); rounds];
    let mut groups = vec![Vec::new(); rounds];
    for (query, (&index, reduced)) in challenges.indices.iter().zip(reduced).enumerate() {
        let mut index = index;
        let _folded = fold_query::<_, F, EF, ChallengeMmcs>(
            &folding,
            query,
            &mut index,
            &betas,
            &shape.log_arities,
            &proof.opening_proof.commit_phase_openings,
            reduced,
            shape.log_max_height,
            shape.log_final_height(),
            &mut indices,
            &mut groups,
        )
        .map_err(Box::new)?;
    }
    Ok((indices, groups))
}

/// For each query, by height: the combination of all columns.
fn reduced_openings(
    shape: &ProofShape,
    proof: &StarkProof,
    parts: &ProofParts<F>,
    challenges: &Challenges<F, usize>,
) -> Result<Vec<FriOpenings<EF>>, RecursionError> {
    let zeta = extension(&challenges.point);
    let mut roots = parts.roots.iter();
    let mut claims = Vec::with_capacity(shape.commitments.len());
    for (commitment, openings) in shape.commitments.iter().zip(&parts.openings) {
        let root = match commitment.oracle {
            Oracle::Preprocessed => shape.preprocessed.as_ref(),
            _ => roots.next(),
        };
        let matrices = commitment.matrices.iter().zip(openings);
        claims.push(CommitmentOpening {
            commitment: MerkleCap::new(vec![root.copied().unwrap_or_default()]),
            matrices: matrices
                .map(|(matrix, values)| {
                    let log_degree = shape.tables[matrix.table].log_degree;
                    let points = [zeta, zeta * F::two_adic_generator(log_degree)];
                    MatrixOpening {
                        domain: trace_domain(log_degree),
                        points: points
                            .into_iter()
                            .zip(values)
                            .map(|(point, values)| PointOpening {
                                point,
                                values: values.iter().map(extension).collect(),
                            })
                            .collect(),
                    }
                })
                .collect(),
        });
    }
    let reduced = open_inputs(
        &shape.parameters.fri(),
        shape.log_max_height,
        &challenges.indices,
        &proof.opening_proof.input_openings,
        extension(&challenges.batch),
        &mmcs(),
        &claims,
    );
    Ok(reduced.map_err(Box::new)?)
}

/// Each query's path in full.
fn paths(
    mmcs: &ValMmcs,
    dimensions: &[Dimensions],
    indices: &[usize],
    rows: &[Vec<Vec<F>>],
    proof: &<ValMmcs as p3_commit::Mmcs<F>>::MultiProof,
) -> Result<Vec<Vec<Digest<F>>>, RecursionError> {
    let paths = mmcs.restore_and_recompute_paths(dimensions, indices, rows, proof)?;
    Ok(paths.into_iter().map(|path| path.siblings).collect())
}

/// The one root of a commitment.
fn root(commitment: &MerkleCap<F, Digest<F>>) -> Result<Digest<F>, RecursionError> {
    let roots = commitment.roots();
    check_length("roots of a commitment", 1, roots.len())?;
    Ok(roots.first().copied().unwrap_or_default())
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
