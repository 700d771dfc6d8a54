//! The security of a plonky2 proof.

use p3_security::fri::FriRegime;
use p3_security::{ErrorBits, GrindingSites, InstanceShape, SecurityTerm, StarkAirParams};

use super::{Bits, EXTENSION_BITS, Layer, label};
use crate::plonk::{CommonData, PlonkParameters};

/// log2 of the base field.
const BASE_BITS: f64 = 64.0;
/// All wires of plonky2's standard row.
const WIRES: usize = 135;
/// More columns of constants than any of our circuits has.
const CONSTANTS: usize = 8;
/// plonky2's quotient is cut into this many polynomials for each challenge.
const QUOTIENT_CHUNKS: usize = 8;
/// More constraints than any of our gates has.
const GATE_CONSTRAINTS: usize = 256;

/// Returns the security of a plonky2 proof of `2^degree_bits` rows.
#[must_use]
pub fn plonk_bits(parameters: &PlonkParameters, degree_bits: usize) -> Bits {
    layer(parameters, degree_bits).bits()
}

/// Returns whether a circuit has no more constants, constraints and parts of the quotient than
/// [`plonk_bits`] counts.
#[must_use]
pub fn is_counted(common: &CommonData) -> bool {
    common.num_constants <= CONSTANTS
        && common.num_gate_constraints <= GATE_CONSTRAINTS
        && common.quotient_degree_factor == QUOTIENT_CHUNKS
}

/// The layer of a plonky2 proof.
pub(super) fn layer(parameters: &PlonkParameters, degree_bits: usize) -> Layer {
    let partial_products = parameters.routed_wires.div_ceil(QUOTIENT_CHUNKS);
    // Constants, sigmas, wires, products at two points, quotient.
    let batched = CONSTANTS
        + parameters.routed_wires
        + WIRES
        + parameters.challenges * (partial_products + 1 + QUOTIENT_CHUNKS);
    Layer {
        test: FriRegime {
            log_blowup: parameters.log_blowup,
            num_queries: parameters.queries,
            log_final_poly_len: parameters.log_final_poly_len,
            max_log_arity: parameters.log_arity,
            commit_pow_bits: parameters.grinding.fold as usize,
            query_pow_bits: parameters.query_grinding as usize,
        },
        fold_degree: (1 << parameters.log_arity) - 1,
        air: StarkAirParams {
            // Combined by base-field challenges: counted in `base_field_terms`.
            num_constraints: 1,
            max_constraint_degree: QUOTIENT_CHUNKS + 1,
            num_quotient_chunks: QUOTIENT_CHUNKS,
            max_combo: 2,
        },
        shape: InstanceShape {
            log_trace_length: degree_bits,
            modulus_bits: EXTENSION_BITS,
            collision_resistance: parameters.collision_bits,
            num_batched_functions: batched,
        },
        grinding: GrindingSites {
            out_of_domain: parameters.grinding.point as usize,
            batch_combination: parameters.grinding.batch as usize,
            lookup_challenge: 0,
        },
        arguments: base_field_terms(parameters.challenges, parameters.routed_wires, degree_bits),
    }
}

/// plonky2 draws beta and gamma (copy constraints) and alpha (constraints) from the base
/// field, `challenges` times independently: a cheat must pass each time.
///
/// Copy constraints: numerator and denominator products have one linear factor for each of
/// `2^degree_bits * routed_wires` wires, and neither may vanish: error at most twice that over p.
/// Constraints: a combination of all terms by powers of alpha, error at most their number
/// over p.
fn base_field_terms(
    challenges: usize,
    routed_wires: usize,
    degree_bits: usize,
) -> Vec<SecurityTerm> {
    let times = challenges as f64;
    let copies = BASE_BITS - degree_bits as f64 - (2.0 * routed_wires as f64).log2();
    let terms = GATE_CONSTRAINTS + challenges * (routed_wires.div_ceil(QUOTIENT_CHUNKS) + 1);
    let constraints = BASE_BITS - (terms as f64).log2();
    let term =
        |label, once: f64| SecurityTerm::new(label, ErrorBits::from_log2((times * once).max(0.0)));
    vec![
        term(label::COPIES, copies),
        term(label::CONSTRAINTS, constraints),
    ]
}

/// Returns the bits of plonky2's arguments over the base field under these parameters: of the
/// copy constraints, and of the combination of constraints.
#[must_use]
pub fn base_field_bits(parameters: &PlonkParameters, degree_bits: usize) -> (f64, f64) {
    let terms = base_field_terms(parameters.challenges, parameters.routed_wires, degree_bits);
    let bits = |label| {
        let mut bits = terms.iter().filter(|term| term.label == label);
        bits.next().map_or(0.0, |term| term.bits.bits())
    };
    (bits(label::COPIES), bits(label::CONSTRAINTS))
}
