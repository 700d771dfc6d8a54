//! The seeds of the three transcripts: constants of a shape.

use p3_air::BaseAir;
use p3_batch_stark::BatchShape;
use p3_challenger::CanObserve;
use p3_fri::{FriShape, PcsShape};

use super::shape::{MatrixShape, ProofShape};
use crate::config::{EF, F};

/// What each transcript observes before anything else.
#[derive(Clone, Debug, Default)]
pub(super) struct Seeds {
    /// Of the batch.
    pub batch: Vec<F>,
    /// Of the openings.
    pub opening: Vec<F>,
    /// Of the low-degree test.
    pub fri: Vec<F>,
}

impl Seeds {
    /// Plonky3 derives the seeds from descriptions of the transcripts, and so does this.
    pub fn new<A: BaseAir<F>>(shape: &ProofShape, airs: &[A]) -> Self {
        let parameters = &shape.parameters;
        let batch = BatchShape {
            trace_widths: airs.iter().map(BaseAir::width).collect(),
            public_value_counts: shape.tables.iter().map(|t| t.public_values).collect(),
            preprocessed_widths: shape.tables.iter().map(|t| t.preprocessed_width).collect(),
            has_preprocessed_commitment: shape.preprocessed.is_some(),
            num_lookup_instances: shape.lookup_tables(),
            lookup_pow_bits: parameters.lookup_grinding,
            has_randomization_commitment: false,
            ood_pow_bits: parameters.point_grinding,
        };
        let counts = |matrix: &MatrixShape| vec![matrix.width; matrix.points()];
        let opening = PcsShape {
            claimed_evaluation_counts: shape
                .commitments
                .iter()
                .map(|commitment| commitment.matrices.iter().map(counts).collect())
                .collect(),
            batch_pow_bits: parameters.batch_grinding,
        };
        let fri = FriShape {
            log_arities: shape.log_arities.clone(),
            final_poly_len: 1 << parameters.log_final_poly_len,
            commit_pow_bits: parameters.fold_grinding,
            query_pow_bits: parameters.query_grinding,
            num_queries: parameters.queries,
            index_bits: shape.log_max_height,
            log_blowup: parameters.log_blowup,
            max_log_arity: parameters.max_log_arity,
        };
        let [mut batch_seed, mut opening_seed, mut fri_seed] = [(); 3].map(|()| Seed::default());
        batch.domain_separator::<F, EF>().seed(&mut batch_seed);
        opening.domain_separator::<F, EF>().seed(&mut opening_seed);
        fri.domain_separator::<F, EF>().seed(&mut fri_seed);
        Self {
            batch: batch_seed.0,
            opening: opening_seed.0,
            fri: fri_seed.0,
        }
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
