//! The Johnson regime by BCHKS25: Ben-Sasson, Carmon, Haböck, Kopparty, Saraf, *On Proximity
//! Gaps for Reed-Solomon Codes*, ePrint 2025/2055, Theorem 4.2.
//!
//! Words of length n over a code of rate r are combined by the powers of a challenge. If they
//! are not close to the code together, within 1 - sqrt(r) - g, then at most
//!
//! ```text
//! d * ((2 (m + 1/2)^5 + 3 (m + 1/2) (1 - sqrt(r) - g) r) n / (3 r^(3/2)) + (m + 1/2) / sqrt(r))
//! ```
//!
//! challenges give a combination that is close, for a curve of degree d. The gap g and the
//! multiplicity m of the list decoder hang together, and there are two readings of how: see
//! [`Reading`]. Any integer m of 3 or more gives a bound; the best of them is taken.

use p3_security::air::composition_error;
use p3_security::deep::deep_ali_error;
use p3_security::proximity::{LDR_M_CAP, compute_upper_m, list_size_ldr_m};

use super::{Bound, EXTENSION_BITS, Layer, NO_BOUND, against_a_list, label};

/// The least multiplicity of the theorem.
const LEAST_MULTIPLICITY: usize = 3;

/// How the multiplicity m follows from the gap g to the Johnson radius at rate r.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// m = max(ceil(sqrt(r) / 2g), 3), as in Theorem 1.5 of the paper and, since April 2026, in
    /// the Ethereum Foundation's soundcalc: that Theorem 4.2 has no factor of two is "a typo
    /// confirmed by the paper authors" (second-hand).
    Corrected,
    /// m = max(ceil(sqrt(r) / g), 3), as Theorem 4.2 is printed.
    Printed,
}

impl Reading {
    /// Returns the least gap that a multiplicity serves, as a share of the root of the rate.
    fn gap(self, multiplicity: usize) -> f64 {
        match self {
            Self::Corrected => 0.5 / multiplicity as f64,
            Self::Printed => 1.0 / multiplicity as f64,
        }
    }
}

/// A code, and a radius below Johnson's: what the theorem speaks about.
struct Proximity {
    reading: Reading,
    multiplicity: usize,
    /// sqrt(r).
    root_of_rate: f64,
    /// n.
    length: f64,
}

impl Proximity {
    /// Returns 1 minus the radius: the share of places where a close word agrees with a
    /// codeword.
    fn agreement(&self) -> f64 {
        self.root_of_rate * (1.0 + self.reading.gap(self.multiplicity))
    }

    /// Returns log2 of the theorem's bound on the challenges of a line (degree 1).
    fn exceptional_challenges_log2(&self) -> f64 {
        let root = self.root_of_rate;
        let rate = root * root;
        let shifted = self.multiplicity as f64 + 0.5;
        let radius = 1.0 - self.agreement();
        let of_length = (2.0 * shifted.powi(5) + 3.0 * shifted * radius * rate) * self.length
            / (3.0 * rate * root);
        (of_length + shifted / root).log2()
    }
}

/// Returns the best bound over all multiplicities.
pub(super) fn bound(layer: &Layer, reading: Reading) -> Bound {
    let most = compute_upper_m(1 << layer.shape.log_trace_length, layer.air.max_combo);
    (LEAST_MULTIPLICITY..=most.min(LDR_M_CAP))
        .filter_map(|multiplicity| bound_at(layer, reading, multiplicity))
        .max_by(|a, b| a.bits.total_cmp(&b.bits))
        .unwrap_or(NO_BOUND)
}

/// The weakest round at one multiplicity; none if the radius is below zero.
pub(super) fn bound_at(layer: &Layer, reading: Reading, multiplicity: usize) -> Option<Bound> {
    let log_length = layer.shape.log_trace_length + layer.test.log_blowup;
    let proximity = Proximity {
        reading,
        multiplicity,
        root_of_rate: (-0.5 * layer.test.log_blowup as f64).exp2(),
        length: (log_length as f64).exp2(),
    };
    if proximity.agreement() >= 1.0 {
        return None;
    }
    let rounds = rounds(layer, &proximity);
    let (binding, bits) = rounds.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Bound {
        bits,
        binding,
        multiplicity: Some(multiplicity),
    })
}

/// The bits of each round, in the order of the protocol, grinding included.
///
/// Of the folds only the first is counted: its words are the longest, and all folds have the
/// same degree and grinding. It is charged for the words before the fold, as `p3-security`
/// does, although the theorem speaks of those after it.
fn rounds(layer: &Layer, proximity: &Proximity) -> Vec<(&'static str, f64)> {
    let list_size = list_size_ldr_m(layer.test.log_blowup, proximity.multiplicity);
    let field = EXTENSION_BITS as f64;
    let line = field - proximity.exceptional_challenges_log2();
    let curve = |degree: usize, grinding: usize| line - (degree as f64).log2() + grinding as f64;

    let mut rounds = Vec::new();
    for argument in &layer.arguments {
        let listed = against_a_list(*argument, list_size);
        rounds.push((listed.label, listed.bits.bits()));
    }
    let constraints = composition_error(layer.air.num_constraints, list_size, EXTENSION_BITS);
    rounds.push((label::CONSTRAINTS, constraints.bits()));
    let point = deep_ali_error(&layer.air, &layer.shape, list_size).bits();
    let ground = point + layer.grinding.out_of_domain as f64;
    rounds.push((label::POINT, ground));
    let batched = layer.shape.num_batched_functions - 1;
    rounds.push((
        label::BATCHING,
        curve(batched, layer.grinding.batch_combination),
    ));
    rounds.push((
        label::FOLDING,
        curve(layer.fold_degree, layer.test.commit_pow_bits),
    ));
    let queries = -(layer.test.num_queries as f64) * proximity.agreement().log2();
    rounds.push((label::QUERIES, queries + layer.test.query_pow_bits as f64));
    rounds.push((label::COLLISIONS, layer.shape.collision_resistance as f64));
    rounds
}
