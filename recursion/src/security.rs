//! The security of both layers, computed: proven bits (the better of unique decoding and of
//! the Johnson regime) and conjectured bits (random words, ePrint 2025/2010).
//!
//! The terms of the STARK come from `p3-security`. plonky2's low-degree test is the same
//! protocol, so its terms come from there too; its arguments over the base field are added
//! here. Derivations and figures: `docs/security.md`.

use p3_security::fri::FriRegime;
use p3_security::logup::{self, LogUpAir};
use p3_security::proximity::{LDR_M_CAP, list_size_ldr_m};
use p3_security::report::{RegimeReport, SecurityReport};
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_security::{ErrorBits, GrindingSites, InstanceShape, SecurityTerm, StarkAirParams};

use crate::config::StarkParameters;
use crate::plonk::PlonkParameters;

/// log2 of the quadratic extension of Goldilocks from which challenges are drawn.
const EXTENSION_BITS: usize = 128;
/// log2 of the base field.
const BASE_BITS: f64 = 64.0;
/// Four field elements: 256 bits of digest.
const COLLISION_BITS: usize = 128;

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

/// The security of one layer, in bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Bits {
    /// Proven, by unique decoding.
    pub unique_decoding: f64,
    /// Proven, in the Johnson regime.
    pub johnson: f64,
    /// Conjectured: random words up to capacity, list size one.
    pub conjectured: f64,
    /// The term that bounds the better proven figure.
    pub proven_binding: &'static str,
    /// The term that bounds the conjectured figure.
    pub conjectured_binding: &'static str,
}

impl Bits {
    /// The better of the two proven figures: each is a valid bound on its own.
    #[must_use]
    pub fn proven(&self) -> f64 {
        self.unique_decoding.max(self.johnson)
    }

    /// The weaker of two layers, figure by figure.
    #[must_use]
    pub fn weaker(&self, other: &Self) -> Self {
        let proven = if self.proven() <= other.proven() {
            self
        } else {
            other
        };
        let conjectured = if self.conjectured <= other.conjectured {
            self
        } else {
            other
        };
        Self {
            conjectured: conjectured.conjectured,
            conjectured_binding: conjectured.conjectured_binding,
            ..proven.clone()
        }
    }

    fn new(proven: &SecurityReport, conjectured: &RegimeReport) -> Self {
        let (_, binding) = proven.binding();
        Self {
            unique_decoding: proven.udr.security_bits(),
            johnson: proven.ldr.as_ref().map_or(0.0, RegimeReport::security_bits),
            conjectured: conjectured.security_bits(),
            proven_binding: binding.label,
            conjectured_binding: conjectured.binding().label,
        }
    }
}

/// The security of a shard's STARK.
#[must_use]
pub fn stark_bits(parameters: &StarkParameters, size: &StarkSize) -> Bits {
    let regime = FriRegime {
        log_blowup: parameters.log_blowup,
        num_queries: parameters.queries,
        log_final_poly_len: parameters.log_final_poly_len,
        max_log_arity: parameters.max_log_arity,
        commit_pow_bits: parameters.fold_grinding,
        query_pow_bits: parameters.query_grinding,
    };
    let grinding = GrindingSites {
        out_of_domain: parameters.point_grinding,
        batch_combination: parameters.batch_grinding,
        lookup_challenge: parameters.lookup_grinding,
    };
    let air = StarkAirParams {
        num_constraints: size.constraints,
        max_constraint_degree: size.constraint_degree,
        num_quotient_chunks: (size.constraint_degree.max(2) - 1).next_power_of_two(),
        max_combo: 2,
    };
    let shape = InstanceShape {
        log_trace_length: size.log_height,
        modulus_bits: EXTENSION_BITS,
        collision_resistance: COLLISION_BITS,
        num_batched_functions: size.batched_openings,
    };
    let lookups: Vec<SecurityTerm> = lookup_term(size, &grinding).into_iter().collect();
    let listed = against_a_list(&lookups, regime.log_blowup);
    Bits::new(
        &proven_security_report(&regime, &air, &shape, &listed, &grinding),
        &conjectured_security_report(&regime, &air, &shape, &lookups, &grinding),
    )
}

/// Terms of arguments whose challenges are drawn against committed words. In the Johnson
/// regime a word stands for a list of codewords, and each of them may meet a lucky challenge:
/// the error grows by the list's size. `p3-security` does this for its own terms only, so it
/// is done here, with the largest list that its search considers, for both proven regimes.
fn against_a_list(terms: &[SecurityTerm], log_blowup: usize) -> Vec<SecurityTerm> {
    let list_bits = list_size_ldr_m(log_blowup, LDR_M_CAP).log2();
    terms
        .iter()
        .map(|term| {
            let bits = (term.bits.bits() - list_bits).max(0.0);
            SecurityTerm::new(term.label, ErrorBits::from_log2(bits))
        })
        .collect()
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
    logup::security_term(&lookups, &one_row, grinding)
}

/// Wires of plonky2's standard row that copy constraints may join.
const ROUTED_WIRES: usize = 80;
/// All wires of plonky2's standard row.
const WIRES: usize = 135;
/// plonky2's quotient is cut into this many polynomials for each challenge.
const QUOTIENT_CHUNKS: usize = 8;
/// More constraints than any of our gates has.
const GATE_CONSTRAINTS: usize = 256;

/// The security of a plonky2 proof of `2^degree_bits` rows.
#[must_use]
pub fn plonk_bits(parameters: &PlonkParameters, degree_bits: usize) -> Bits {
    let regime = FriRegime {
        log_blowup: parameters.log_blowup,
        num_queries: parameters.queries,
        log_final_poly_len: parameters.log_final_poly_len,
        max_log_arity: parameters.log_arity,
        commit_pow_bits: 0,
        query_pow_bits: parameters.grinding as usize,
    };
    let partial_products = ROUTED_WIRES.div_ceil(QUOTIENT_CHUNKS);
    // Constants (at most 8), sigmas, wires, products at two points, quotient.
    let batched =
        8 + ROUTED_WIRES + WIRES + parameters.challenges * (partial_products + 1 + QUOTIENT_CHUNKS);
    let air = StarkAirParams {
        // Combined by base-field challenges: counted in `copy_and_constraint_term`.
        num_constraints: 1,
        max_constraint_degree: QUOTIENT_CHUNKS + 1,
        num_quotient_chunks: QUOTIENT_CHUNKS,
        max_combo: 2,
    };
    let shape = InstanceShape {
        log_trace_length: degree_bits,
        modulus_bits: EXTENSION_BITS,
        collision_resistance: COLLISION_BITS,
        num_batched_functions: batched,
    };
    let extras = copy_and_constraint_terms(parameters.challenges, degree_bits);
    let none = GrindingSites::NONE;
    let listed = against_a_list(&extras, regime.log_blowup);
    Bits::new(
        &proven_security_report(&regime, &air, &shape, &listed, &none),
        &conjectured_security_report(&regime, &air, &shape, &extras, &none),
    )
}

/// plonky2 draws beta and gamma (copy constraints) and alpha (constraints) from the base
/// field, `challenges` times independently: a cheat must pass each time.
///
/// Copy constraints: numerator and denominator products have one linear factor for each of
/// `2^degree_bits * 80` routed wires, and neither may vanish: error at most twice that over p.
/// Constraints: a combination of all terms by powers of alpha, error at most their number
/// over p.
fn copy_and_constraint_terms(challenges: usize, degree_bits: usize) -> [SecurityTerm; 2] {
    let times = challenges as f64;
    let copies = BASE_BITS - degree_bits as f64 - (2.0 * ROUTED_WIRES as f64).log2();
    let terms = GATE_CONSTRAINTS + challenges * (ROUTED_WIRES.div_ceil(QUOTIENT_CHUNKS) + 1);
    let constraints = BASE_BITS - (terms as f64).log2();
    [
        SecurityTerm::new(
            "copy constraints",
            ErrorBits::from_log2((times * copies).max(0.0)),
        ),
        SecurityTerm::new(
            "constraint combination",
            ErrorBits::from_log2((times * constraints).max(0.0)),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the design: 2^19 rows, 2,800 batched openings, blow-up 2.
    fn design_bits(queries: usize, query_grinding: usize, grinding: usize) -> Bits {
        let parameters = StarkParameters {
            log_blowup: 1,
            queries,
            max_log_arity: 3,
            log_final_poly_len: 5,
            query_grinding,
            fold_grinding: grinding,
            batch_grinding: grinding,
            point_grinding: grinding,
            lookup_grinding: grinding,
        };
        let size = StarkSize {
            log_height: 19,
            batched_openings: 2800,
            constraints: 1000,
            constraint_degree: 3,
            messages: 1 << 22,
            message_width: 22,
        };
        stark_bits(&parameters, &size)
    }

    #[test]
    fn the_figures_of_the_design_are_reproduced() {
        assert_eq!(design_bits(84, 16, 0).unique_decoding as usize, 50);
        assert_eq!(design_bits(84, 16, 0).johnson as usize, 57);
        assert_eq!(design_bits(196, 20, 12).unique_decoding as usize, 101);
        assert_eq!(design_bits(170, 20, 20).johnson as usize, 100);
        assert_eq!(design_bits(84, 16, 0).conjectured as usize, 96);
    }

    #[test]
    fn what_plonky2_ships_is_far_from_its_name() {
        let default = PlonkParameters {
            challenges: 2,
            queries: 28,
            ..PlonkParameters::PROVEN_100
        };
        let bits = plonk_bits(&default, 16);
        assert!(bits.unique_decoding < 40.0, "{bits:?}");
        assert!(bits.proven() < 60.0, "{bits:?}");
        assert!(bits.conjectured < 85.0, "{bits:?}");
        assert_eq!(bits.conjectured_binding, "copy constraints");
    }

    #[test]
    fn proven_100_is_proven() {
        assert!(plonk_bits(&PlonkParameters::PROVEN_100, 16).proven() >= 100.0);
    }
}
