//! The queries: rows and groups, each with its path in full.

use core::marker::PhantomData;

use p3_commit::{CommitmentOpening, MatrixOpening, PointOpening};
use p3_field::TwoAdicField;
use p3_fri::verifier::{FriOpenings, fold_query, open_inputs};
use p3_fri::{TwoAdicFriFolding, TwoAdicFriFoldingForMmcs};
use p3_matrix::Dimensions;
use p3_merkle_tree::MerkleCap;

use super::{extension, pair};
use crate::config::{ChallengeMmcs, EF, F, StarkProof, ValMmcs};
use crate::stark::error::{RecursionError, check_length};
use crate::stark::layout::{Digest, Oracle};
use crate::stark::parts::{FoldOpening, ProofParts, RowOpening};
use crate::stark::shape::{ProofShape, trace_domain};
use crate::stark::transcript::Challenges;

/// By query and commitment: the opened rows and their paths.
pub(super) fn unpack_inputs(
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
    let mmcs = shape.parameters.mmcs();
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
pub(super) fn unpack_folds(
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

    let mmcs = shape.parameters.mmcs();
    let mut queries: Vec<Vec<FoldOpening<F>>> =
        (0..shape.parameters.queries).map(|_| Vec::new()).collect();
    let rounds = shape.log_arities.iter().zip(shape.round_heights());
    for (round, (step, (&log_arity, log_height))) in steps.iter().zip(rounds).enumerate() {
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
    let mut caps = parts.caps.iter();
    let mut claims = Vec::with_capacity(shape.commitments.len());
    for (commitment, openings) in shape.commitments.iter().zip(&parts.openings) {
        let cap = match commitment.oracle {
            Oracle::Preprocessed => shape.preprocessed.as_ref(),
            _ => caps.next(),
        };
        let matrices = commitment.matrices.iter().zip(openings);
        claims.push(CommitmentOpening {
            commitment: MerkleCap::new(cap.cloned().unwrap_or_default()),
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
        &shape.parameters.mmcs(),
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
