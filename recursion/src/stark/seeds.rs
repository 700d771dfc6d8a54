//! The seeds of the three transcripts: constants of a shape.

use p3_air::BaseAir;
use p3_batch_stark::BatchShape;
use p3_challenger::CanObserve;
use p3_fri::{FriShape, PcsShape};

use super::layout::{CommitmentShape, MatrixShape, TableShape, lookup_tables};
use crate::config::{EF, F, StarkParameters};

/// What each transcript observes before anything else. Plonky3 derives it from descriptions of
/// the transcripts, and so does this.
#[derive(Clone, Debug)]
pub(super) struct Seeds {
    /// Of the batch.
    pub batch: Vec<F>,
    /// Of the openings.
    pub opening: Vec<F>,
    /// Of the low-degree test.
    pub fri: Vec<F>,
}

impl Seeds {
    /// Returns the seed of the batch's transcript.
    pub fn batch<A: BaseAir<F>>(
        airs: &[A],
        tables: &[TableShape],
        has_preprocessed_commitment: bool,
        parameters: &StarkParameters,
    ) -> Vec<F> {
        let shape = BatchShape {
            trace_widths: airs.iter().map(BaseAir::width).collect(),
            public_value_counts: tables.iter().map(|t| t.public_values).collect(),
            preprocessed_widths: tables.iter().map(|t| t.preprocessed_width).collect(),
            has_preprocessed_commitment,
            num_lookup_instances: lookup_tables(tables),
            lookup_pow_bits: parameters.lookup_grinding,
            has_randomization_commitment: false,
            ood_pow_bits: parameters.point_grinding,
        };
        let mut seed = Seed::default();
        shape.domain_separator::<F, EF>().seed(&mut seed);
        seed.0
    }

    /// Returns the seed of the openings' transcript.
    pub fn opening(commitments: &[CommitmentShape], parameters: &StarkParameters) -> Vec<F> {
        let counts = |matrix: &MatrixShape| vec![matrix.width; matrix.points()];
        let shape = PcsShape {
            claimed_evaluation_counts: commitments
                .iter()
                .map(|commitment| commitment.matrices.iter().map(counts).collect())
                .collect(),
            batch_pow_bits: parameters.batch_grinding,
        };
        let mut seed = Seed::default();
        shape.domain_separator::<F, EF>().seed(&mut seed);
        seed.0
    }

    /// Returns the seed of the low-degree test's transcript.
    pub fn fri(log_arities: &[usize], index_bits: usize, parameters: &StarkParameters) -> Vec<F> {
        let shape = FriShape {
            log_arities: log_arities.to_vec(),
            final_poly_len: 1 << parameters.log_final_poly_len,
            commit_pow_bits: parameters.fold_grinding,
            query_pow_bits: parameters.query_grinding,
            num_queries: parameters.queries,
            index_bits,
            log_blowup: parameters.log_blowup,
            max_log_arity: parameters.max_log_arity,
        };
        let mut seed = Seed::default();
        shape.domain_separator::<F, EF>().seed(&mut seed);
        seed.0
    }
}

/// Takes down what a transcript observes.
#[derive(Default)]
struct Seed(Vec<F>);

impl CanObserve<F> for Seed {
    fn observe(&mut self, value: F) {
        self.0.push(value);
    }
}
