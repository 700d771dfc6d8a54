//! The parts of a proof that the circuit verifies: as values or as targets.

use super::layout::{Cap, CommitmentShape, Digest, Oracle};
use super::shape::ProofShape;

/// An element of the extension field: its two coefficients.
pub(super) type Pair<T> = [T; 2];

/// Claimed values by commitment, matrix, point and column.
pub(super) type Claims<T> = Vec<Vec<Vec<Vec<Pair<T>>>>>;

/// The rows of one commitment's matrices at one query, and the path that authenticates them.
#[derive(Clone, Debug)]
pub struct RowOpening<T> {
    /// One row of each matrix.
    pub rows: Vec<Vec<T>>,
    /// The siblings from the leaf up to below the cap.
    pub siblings: Vec<Digest<T>>,
}

/// The values that one round folds into one, and the path that authenticates them.
#[derive(Clone, Debug)]
pub struct FoldOpening<T> {
    /// All values of the group, the folded one included.
    pub values: Vec<Pair<T>>,
    /// The siblings from the leaf up to below the cap.
    pub siblings: Vec<Digest<T>>,
}

/// Everything that one query opens.
#[derive(Clone, Debug)]
pub struct QueryParts<T> {
    /// The rows of each commitment.
    pub inputs: Vec<RowOpening<T>>,
    /// The groups of each round.
    pub folds: Vec<FoldOpening<T>>,
}

/// One round of the low-degree test.
#[derive(Clone, Debug)]
pub struct RoundParts<T> {
    /// The cap of the tree over the round's codeword.
    pub cap: Cap<T>,
    /// The grinding witness, where the round grinds.
    pub witness: Option<T>,
}

/// A proof, with each query's paths in full.
///
/// Plonky3 proves all queries of a tree with one pruned set of siblings, whose form depends on
/// the indices; a circuit has one form, so each query has its own path here.
#[derive(Clone, Debug)]
pub struct ProofParts<T> {
    /// The caps, one for each commitment of the shape but the preprocessed one, in the
    /// order of the shape.
    pub caps: Vec<Cap<T>>,
    /// The grinding witness before the lookup challenges.
    pub lookup_witness: Option<T>,
    /// The sum over all lookups of each table that looks something up.
    pub terminals: Vec<Pair<T>>,
    /// The grinding witness before the out-of-domain point.
    pub point_witness: Option<T>,
    /// The claimed values, by commitment, matrix, point and column.
    pub openings: Claims<T>,
    /// The grinding witness before the challenge that batches the openings.
    pub batch_witness: Option<T>,
    /// The rounds of the low-degree test.
    pub rounds: Vec<RoundParts<T>>,
    /// The coefficients of the final polynomial, lowest first.
    pub final_poly: Vec<Pair<T>>,
    /// The grinding witness before the queries.
    pub query_witness: Option<T>,
    /// The queries.
    pub queries: Vec<QueryParts<T>>,
}

impl<T> ProofParts<T> {
    /// Parts of the given shape, each element made by `make`.
    pub fn from_fn(shape: &ProofShape, mut make: impl FnMut() -> T) -> Self {
        let parameters = &shape.parameters;
        let make = &mut make;
        Self {
            caps: shape
                .commitments
                .iter()
                .filter(|commitment| commitment.oracle != Oracle::Preprocessed)
                .map(|_| digests(1 << parameters.log_cap, make))
                .collect(),
            lookup_witness: (shape.lookup_tables() > 0 && parameters.lookup_grinding > 0)
                .then(&mut *make),
            terminals: pairs(shape.lookup_tables(), make),
            point_witness: (parameters.point_grinding > 0).then(&mut *make),
            openings: shape
                .commitments
                .iter()
                .map(|commitment| claims(commitment, make))
                .collect(),
            batch_witness: (parameters.batch_grinding > 0).then(&mut *make),
            rounds: shape
                .log_arities
                .iter()
                .map(|_| RoundParts {
                    cap: digests(1 << parameters.log_cap, make),
                    witness: (parameters.fold_grinding > 0).then(&mut *make),
                })
                .collect(),
            final_poly: pairs(1 << parameters.log_final_poly_len, make),
            query_witness: (parameters.query_grinding > 0).then(&mut *make),
            queries: (0..parameters.queries)
                .map(|_| query(shape, make))
                .collect(),
        }
    }

    /// Returns all elements, in the order in which [`Self::from_fn`] makes them.
    #[must_use]
    pub fn elements(&self) -> Vec<&T> {
        let mut all = Vec::new();
        all.extend(self.caps.iter().flatten().flatten());
        all.extend(&self.lookup_witness);
        all.extend(self.terminals.iter().flatten());
        all.extend(&self.point_witness);
        all.extend(self.openings.iter().flatten().flatten().flatten().flatten());
        all.extend(&self.batch_witness);
        for round in &self.rounds {
            all.extend(round.cap.iter().flatten());
            all.extend(&round.witness);
        }
        all.extend(self.final_poly.iter().flatten());
        all.extend(&self.query_witness);
        for query in &self.queries {
            for input in &query.inputs {
                all.extend(input.rows.iter().flatten());
                all.extend(input.siblings.iter().flatten());
            }
            for fold in &query.folds {
                all.extend(fold.values.iter().flatten());
                all.extend(fold.siblings.iter().flatten());
            }
        }
        all
    }
}

fn digest<T>(make: &mut impl FnMut() -> T) -> Digest<T> {
    core::array::from_fn(|_| make())
}

fn digests<T>(count: usize, make: &mut impl FnMut() -> T) -> Vec<Digest<T>> {
    (0..count).map(|_| digest(make)).collect()
}

fn pairs<T>(count: usize, make: &mut impl FnMut() -> T) -> Vec<Pair<T>> {
    (0..count).map(|_| [make(), make()]).collect()
}

fn claims<T>(commitment: &CommitmentShape, make: &mut impl FnMut() -> T) -> Vec<Vec<Vec<Pair<T>>>> {
    let mut matrices = Vec::with_capacity(commitment.matrices.len());
    for matrix in &commitment.matrices {
        let points = 0..matrix.points();
        matrices.push(points.map(|_| pairs(matrix.width, make)).collect());
    }
    matrices
}

fn query<T>(shape: &ProofShape, make: &mut impl FnMut() -> T) -> QueryParts<T> {
    let log_cap = shape.parameters.log_cap;
    let mut inputs = Vec::with_capacity(shape.commitments.len());
    for commitment in &shape.commitments {
        let mut rows = Vec::with_capacity(commitment.matrices.len());
        for matrix in &commitment.matrices {
            rows.push((0..matrix.width).map(|_| make()).collect());
        }
        let siblings = digests(commitment.log_height() - log_cap, make);
        inputs.push(RowOpening { rows, siblings });
    }
    let mut folds = Vec::with_capacity(shape.log_arities.len());
    for (&log_arity, log_height) in shape.log_arities.iter().zip(shape.round_heights()) {
        folds.push(FoldOpening {
            values: pairs(1 << log_arity, make),
            siblings: digests(log_height - log_cap, make),
        });
    }
    QueryParts { inputs, folds }
}
