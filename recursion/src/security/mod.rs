//! The security of both layers, computed: each figure is named for the theorem or conjecture
//! that gives it.
//!
//! *Proven* is the better of unique decoding and of the Johnson regime by BCHKS25 (ePrint
//! 2025/2055, Theorem 4.2), in the reading that [`bchks25`] states. Beside it stand the
//! theorem as it is printed and the figure of a newer preprint (DKT26, ePrint 2026/2056), on
//! which no claim rests, and the conjecture on random words (ePrint 2025/2010).
//!
//! Bits are round by round: the least over all terms, each with the grinding at its own site.
//! Unique decoding, DKT26 and the conjecture come from `p3-security`. plonky2's low-degree
//! test is the same protocol, so the same terms serve it; its arguments over the base field
//! are added in [`plonk`]. What is assumed: `docs/security.md`.

pub mod bchks25;
pub mod plonk;
pub mod stark;

#[cfg(test)]
mod tests;

use std::fmt;

use p3_security::fri::FriRegime;
use p3_security::proximity::{LDR_M_CAP, list_size_ldr_m};
use p3_security::report::{
    ALI_LABEL, BATCH_LABEL, COLLISION_LABEL, DEEP_LABEL, LDT_COMMIT_LABEL, LDT_LABEL,
    LDT_QUERY_LABEL, Regime, RegimeReport,
};
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_security::{ErrorBits, GrindingSites, InstanceShape, SecurityTerm, StarkAirParams};

use bchks25::Reading;
pub use plonk::plonk_bits;
pub use stark::{StarkSize, stark_bits};

/// log2 of the quadratic extension of Goldilocks from which challenges are drawn.
const EXTENSION_BITS: usize = 128;
/// Four field elements: 256 bits of digest.
const COLLISION_BITS: usize = 128;

/// Names of the terms, as `params` prints them.
mod label {
    pub const CONSTRAINTS: &str = "constraints";
    pub const POINT: &str = "out-of-domain point";
    pub const BATCHING: &str = "batching";
    pub const FOLDING: &str = "folding";
    pub const QUERIES: &str = "queries";
    pub const LOW_DEGREE: &str = "folding or queries";
    pub const COLLISIONS: &str = "hash collisions";
    pub const LOOKUPS: &str = "lookups";
    pub const COPIES: &str = "copy constraints";
}

/// What one theorem gives for one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Bits: minus log2 of the error of the weakest round.
    pub bits: f64,
    /// The term of that round.
    pub binding: &'static str,
    /// The multiplicity of the list decoder that was chosen; none outside the Johnson regime.
    pub multiplicity: Option<usize>,
}

/// The security of one layer by each theorem.
#[derive(Clone, Debug, PartialEq)]
pub struct Bits {
    /// Proven, by unique decoding.
    pub unique_decoding: Bound,
    /// Proven, in the Johnson regime by BCHKS25.
    pub johnson: Bound,
    /// In the Johnson regime by BCHKS25 as it is printed: lower, no claim rests on it.
    pub johnson_as_printed: Bound,
    /// In the Johnson regime by DKT26: higher, no claim rests on it.
    pub johnson_dkt26: Bound,
    /// Conjectured: random words up to capacity, list size one.
    pub conjectured: Bound,
}

/// A theorem on which a claim of proven bits may rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theorem {
    /// Every word is within the unique decoding radius.
    UniqueDecoding,
    /// The Johnson regime by BCHKS25, Theorem 4.2.
    Bchks25,
}

impl fmt::Display for Theorem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UniqueDecoding => "unique decoding",
            Self::Bchks25 => "BCHKS25",
        })
    }
}

impl Bits {
    /// Returns the proven bits: the better of unique decoding and BCHKS25, each of which is a
    /// bound on its own.
    #[must_use]
    pub fn proven(&self) -> f64 {
        self.claim().1.bits
    }

    /// Returns the theorem that the proven bits rest on, and its bound.
    #[must_use]
    pub fn claim(&self) -> (Theorem, &Bound) {
        if self.unique_decoding.bits >= self.johnson.bits {
            (Theorem::UniqueDecoding, &self.unique_decoding)
        } else {
            (Theorem::Bchks25, &self.johnson)
        }
    }

    /// Returns what would be proven if BCHKS25 held as printed only.
    #[must_use]
    pub fn proven_as_printed(&self) -> f64 {
        self.unique_decoding.bits.max(self.johnson_as_printed.bits)
    }

    /// Returns what would be proven if DKT26 and its extension to curves held.
    #[must_use]
    pub fn proven_by_dkt26(&self) -> f64 {
        self.unique_decoding.bits.max(self.johnson_dkt26.bits)
    }
}

/// A layer, as the bounds see it: a low-degree test and the arguments above it.
struct Layer {
    /// The low-degree test.
    test: FriRegime,
    /// The degree of the curve that one fold draws a point of.
    fold_degree: usize,
    air: StarkAirParams,
    shape: InstanceShape,
    grinding: GrindingSites,
    /// Arguments whose challenges are drawn after the words are committed, at list size one.
    arguments: Vec<SecurityTerm>,
}

impl Layer {
    fn bits(&self) -> Bits {
        let listed = against_the_largest_list(&self.arguments, self.test.log_blowup);
        let (test, air, shape) = (&self.test, &self.air, &self.shape);
        let proven = proven_security_report(test, air, shape, &listed, &self.grinding);
        let conjectured =
            conjectured_security_report(test, air, shape, &self.arguments, &self.grinding);
        Bits {
            unique_decoding: bound_of(&proven.udr),
            johnson: bchks25::bound(self, Reading::Corrected),
            johnson_as_printed: bchks25::bound(self, Reading::Printed),
            johnson_dkt26: proven.ldr.as_ref().map_or(NO_BOUND, bound_of),
            conjectured: bound_of(&conjectured),
        }
    }
}

/// What a regime gives that has no admissible multiplicity: the words are too short.
const NO_BOUND: Bound = Bound {
    bits: 0.0,
    binding: label::LOW_DEGREE,
    multiplicity: None,
};

fn bound_of(report: &RegimeReport) -> Bound {
    Bound {
        bits: report.security_bits(),
        binding: plain_label(report.binding().label),
        multiplicity: match report.regime {
            Regime::ListDecoding { m } => Some(m),
            _ => None,
        },
    }
}

/// The label of a term of `p3-security` in the words of this module.
fn plain_label(label: &'static str) -> &'static str {
    match label {
        ALI_LABEL => label::CONSTRAINTS,
        DEEP_LABEL => label::POINT,
        BATCH_LABEL => label::BATCHING,
        LDT_LABEL => label::LOW_DEGREE,
        LDT_COMMIT_LABEL => label::FOLDING,
        LDT_QUERY_LABEL => label::QUERIES,
        COLLISION_LABEL => label::COLLISIONS,
        own => own,
    }
}

/// Terms of arguments whose challenges are drawn against committed words. In the Johnson
/// regime a word stands for a list of codewords, and each of them may meet a lucky challenge:
/// the error grows by the list's size. `p3-security` does this for its own terms only, so it
/// is done here, with the largest list that its search considers, for both of its regimes.
fn against_the_largest_list(terms: &[SecurityTerm], log_blowup: usize) -> Vec<SecurityTerm> {
    let list_size = list_size_ldr_m(log_blowup, LDR_M_CAP);
    let listed = terms.iter().map(|term| against_a_list(*term, list_size));
    listed.collect()
}

/// The term if each of so many codewords may meet a lucky challenge.
fn against_a_list(term: SecurityTerm, list_size: f64) -> SecurityTerm {
    let bits = (term.bits.bits() - list_size.log2()).max(0.0);
    SecurityTerm::new(term.label, ErrorBits::from_log2(bits))
}
