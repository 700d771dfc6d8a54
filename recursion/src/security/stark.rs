//! The security of a shard's STARK.

use p3_security::fri::FriRegime;
use p3_security::logup::{self, LogUpAir};
use p3_security::{GrindingSites, InstanceShape, SecurityTerm, StarkAirParams};

use super::{Bits, COLLISION_BITS, EXTENSION_BITS, Layer, label};
use crate::config::StarkParameters;

/// What the STARK's bound depends on beside its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StarkSize {
    /// log2 of the largest height.
    pub log_height: usize,
    /// Pairs of a committed column and a point at which it is opened.
    pub batched_openings: usize,
    /// Constraints of all chips.
    pub constraints: usize,
    /// The largest degree of a constraint.
    pub constraint_degree: usize,
    /// Bus messages of all rows of all chips: denominators of the lookup argument.
    pub messages: usize,
    /// Elements of the widest message.
    pub message_width: usize,
}

/// Returns the security of a shard's STARK.
#[must_use]
pub fn stark_bits(parameters: &StarkParameters, size: &StarkSize) -> Bits {
    layer(parameters, size).bits()
}

/// The layer of a shard's STARK.
pub(super) fn layer(parameters: &StarkParameters, size: &StarkSize) -> Layer {
    let grinding = GrindingSites {
        out_of_domain: parameters.point_grinding,
        batch_combination: parameters.batch_grinding,
        lookup_challenge: parameters.lookup_grinding,
    };
    Layer {
        test: FriRegime {
            log_blowup: parameters.log_blowup,
            num_queries: parameters.queries,
            log_final_poly_len: parameters.log_final_poly_len,
            max_log_arity: parameters.max_log_arity,
            commit_pow_bits: parameters.fold_grinding,
            query_pow_bits: parameters.query_grinding,
        },
        // A shorter word is added to a fold of `arity` words at the challenge's power `arity`.
        fold_degree: 1 << parameters.max_log_arity,
        air: StarkAirParams {
            num_constraints: size.constraints,
            max_constraint_degree: size.constraint_degree,
            num_quotient_chunks: (size.constraint_degree.max(2) - 1).next_power_of_two(),
            max_combo: 2,
        },
        shape: InstanceShape {
            log_trace_length: size.log_height,
            modulus_bits: EXTENSION_BITS,
            collision_resistance: COLLISION_BITS,
            num_batched_functions: size.batched_openings,
        },
        grinding,
        arguments: lookup_term(size, &grinding).into_iter().collect(),
    }
}

/// The lookup term over all chips: their messages are counted one by one, so the height of
/// the term's own shape is one row.
fn lookup_term(size: &StarkSize, grinding: &GrindingSites) -> Option<SecurityTerm> {
    let lookups = LogUpAir {
        num_interactions: size.messages,
        max_message_width: size.message_width,
    };
    let one_row = InstanceShape {
        log_trace_length: 0,
        modulus_bits: EXTENSION_BITS,
        collision_resistance: COLLISION_BITS,
        num_batched_functions: 1,
    };
    let term = logup::security_term(&lookups, &one_row, grinding)?;
    Some(SecurityTerm::new(label::LOOKUPS, term.bits))
}
