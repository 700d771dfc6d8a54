//! The Fiat-Shamir transcript of a proof, written once for values and for targets.
//!
//! [`derive_challenges`] is the order of `BatchVerifierTranscript`, `PcsVerifierTranscript` and
//! `VerifierTranscript` of Plonky3; the sponge under it is Plonky3's own for values, and
//! [`TargetTranscript`] in the circuit.

use p3_challenger::{CanObserve, CanSample, CanSampleBits, GrindingChallenger};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use plonky2::field::types::Field;
use plonky2::iop::target::{BoolTarget, Target};

use super::Word;
use super::error::RecursionError;
use super::gates::WIDTH;
use super::hash::{Circuit, RATE};
use super::layout::{Digest, Oracle};
use super::parts::{Pair, ProofParts};
use super::shape::ProofShape;
use crate::config::{Challenger, F};

/// A sponge that observes and samples.
pub(super) trait Transcript {
    /// An element of the base field.
    type Word: Copy;
    /// A query index.
    type Index;
    /// Observes what the shape fixes.
    fn observe_constant(&mut self, value: F);
    /// Observes one element.
    fn observe(&mut self, value: Self::Word);
    /// Samples one element.
    fn sample(&mut self) -> Self::Word;
    /// Observes a grinding witness and checks that the next sample's `bits` low bits are zero.
    fn check_grinding(&mut self, bits: usize, witness: Self::Word) -> Result<(), RecursionError>;
    /// Samples an index of `bits` bits.
    fn sample_index(&mut self, bits: usize) -> Self::Index;

    /// Observes all roots of a Merkle tree, in order.
    fn observe_cap(&mut self, cap: &[Digest<Self::Word>]) {
        for &value in cap.iter().flatten() {
            self.observe(value);
        }
    }

    /// Observes elements of the extension field.
    fn observe_pairs(&mut self, pairs: &[Pair<Self::Word>]) {
        for &value in pairs.iter().flatten() {
            self.observe(value);
        }
    }

    /// Samples an element of the extension field.
    fn sample_pair(&mut self) -> Pair<Self::Word> {
        [self.sample(), self.sample()]
    }

    /// Plays a grinding step if the parts have a witness for it, that is, if it has bits.
    fn grind(&mut self, bits: usize, witness: Option<Self::Word>) -> Result<(), RecursionError> {
        match witness {
            Some(witness) => self.check_grinding(bits, witness),
            None => Ok(()),
        }
    }
}

/// What the transcript draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenges<W, I> {
    /// Alpha and beta of the lookups, if any table looks something up.
    pub lookup: Option<[Pair<W>; 2]>,
    /// What folds the constraints.
    pub constraint: Pair<W>,
    /// The out-of-domain point zeta.
    pub point: Pair<W>,
    /// What batches the openings.
    pub batch: Pair<W>,
    /// What folds each round.
    pub folds: Vec<Pair<W>>,
    /// The query indices.
    pub indices: Vec<I>,
}

/// Plays the whole transcript of a proof. The queries in `parts` are not looked at.
pub(super) fn derive_challenges<T: Transcript>(
    transcript: &mut T,
    shape: &ProofShape,
    parts: &ProofParts<T::Word>,
    public_values: &[Vec<T::Word>],
) -> Result<Challenges<T::Word, T::Index>, RecursionError> {
    let parameters = &shape.parameters;

    // The batch: heights, main columns, public values, preprocessed columns.
    observe_constants(transcript, &shape.seeds.batch);
    for table in &shape.tables {
        transcript.observe_constant(F::from_usize(table.log_degree));
        transcript.observe_constant(F::ZERO);
    }
    observe_commitment(transcript, shape, parts, Oracle::Main);
    for &value in public_values.iter().flatten() {
        transcript.observe(value);
    }
    if let Some(cap) = &shape.preprocessed {
        observe_constants(transcript, cap.as_flattened());
    }

    // The lookups: their challenges, their columns, and each table's sum.
    let lookup = if shape.lookup_tables() > 0 {
        transcript.grind(parameters.lookup_grinding, parts.lookup_witness)?;
        let challenges = [transcript.sample_pair(), transcript.sample_pair()];
        observe_commitment(transcript, shape, parts, Oracle::Permutation);
        transcript.observe_pairs(&parts.terminals);
        Some(challenges)
    } else {
        None
    };

    // The constraints, the quotient, and the point at which both are opened.
    let constraint = transcript.sample_pair();
    observe_commitment(transcript, shape, parts, Oracle::Quotient);
    transcript.grind(parameters.point_grinding, parts.point_witness)?;
    let point = transcript.sample_pair();

    // The openings.
    observe_constants(transcript, &shape.seeds.opening);
    for values in parts.openings.iter().flatten().flatten() {
        transcript.observe_pairs(values);
    }
    transcript.grind(parameters.batch_grinding, parts.batch_witness)?;
    let batch = transcript.sample_pair();

    // The low-degree test.
    observe_constants(transcript, &shape.seeds.fri);
    let mut folds = Vec::with_capacity(parts.rounds.len());
    for round in &parts.rounds {
        transcript.observe_cap(&round.cap);
        transcript.grind(parameters.fold_grinding, round.witness)?;
        folds.push(transcript.sample_pair());
    }
    transcript.observe_pairs(&parts.final_poly);
    transcript.grind(parameters.query_grinding, parts.query_witness)?;
    let indices = (0..parameters.queries)
        .map(|_| transcript.sample_index(shape.log_max_height))
        .collect();

    Ok(Challenges {
        lookup,
        constraint,
        point,
        batch,
        folds,
        indices,
    })
}

fn observe_constants(transcript: &mut impl Transcript, values: &[F]) {
    for &value in values {
        transcript.observe_constant(value);
    }
}

fn observe_commitment<T: Transcript>(
    transcript: &mut T,
    shape: &ProofShape,
    parts: &ProofParts<T::Word>,
    oracle: Oracle,
) {
    let oracles = shape.commitments.iter().map(|commitment| commitment.oracle);
    let observed = oracles.filter(|&other| other != Oracle::Preprocessed);
    for (other, cap) in observed.zip(&parts.caps) {
        if other == oracle {
            transcript.observe_cap(cap);
        }
    }
}

impl Transcript for Challenger {
    type Word = F;
    type Index = usize;

    fn observe_constant(&mut self, value: F) {
        CanObserve::observe(self, value);
    }

    fn observe(&mut self, value: F) {
        CanObserve::observe(self, value);
    }

    fn sample(&mut self) -> F {
        CanSample::sample(self)
    }

    fn check_grinding(&mut self, bits: usize, witness: F) -> Result<(), RecursionError> {
        if self.check_witness(bits, witness) {
            return Ok(());
        }
        Err(RecursionError::Grinding { bits })
    }

    fn sample_index(&mut self, bits: usize) -> usize {
        self.sample_bits(bits)
    }
}

/// Plonky3's `DuplexChallenger` of width 12 and rate 8, on targets.
pub(super) struct TargetTranscript<'a, 'b> {
    circuit: &'a mut Circuit<'b>,
    state: [Target; WIDTH],
    /// Observed, not yet absorbed; always fewer than [`RATE`].
    input: Vec<Target>,
    /// Squeezed, sampled from the end.
    output: Vec<Target>,
}

impl<'a, 'b> TargetTranscript<'a, 'b> {
    /// Returns an empty transcript.
    pub fn new(circuit: &'a mut Circuit<'b>) -> Self {
        let zero = circuit.builder.zero();
        Self {
            circuit,
            state: [zero; WIDTH],
            input: Vec::with_capacity(RATE),
            output: Vec::with_capacity(RATE),
        }
    }

    /// Absorbs what was observed, if anything, and squeezes a block.
    ///
    /// The input overwrites the rate, zeros fill what it leaves, and its length is added to the
    /// capacity: the sponge is prefix-free. Without input the state is permuted as it is.
    fn duplex(&mut self) {
        let builder = &mut *self.circuit.builder;
        if !self.input.is_empty() {
            let zero = builder.zero();
            self.state[..RATE].fill(zero);
            self.state[..self.input.len()].copy_from_slice(&self.input);
            let length = Word::from_canonical_usize(self.input.len());
            self.state[RATE] = builder.add_const(self.state[RATE], length);
            self.input.clear();
        }
        let no_swap = builder._false();
        self.state = self.circuit.permute(self.state, no_swap);
        self.output = self.state[..RATE].to_vec();
    }
}

impl Transcript for TargetTranscript<'_, '_> {
    type Word = Target;
    type Index = Vec<BoolTarget>;

    fn observe_constant(&mut self, value: F) {
        let value = Word::from_canonical_u64(value.as_canonical_u64());
        let value = self.circuit.builder.constant(value);
        self.observe(value);
    }

    fn observe(&mut self, value: Target) {
        self.output.clear();
        self.input.push(value);
        if self.input.len() == RATE {
            self.duplex();
        }
    }

    fn sample(&mut self) -> Target {
        if !self.input.is_empty() || self.output.is_empty() {
            self.duplex();
        }
        let sampled = self.output.pop();
        sampled.expect("a duplexing leaves a full block to sample from")
    }

    fn check_grinding(&mut self, bits: usize, witness: Target) -> Result<(), RecursionError> {
        self.observe(witness);
        for bit in self.sample_index(bits) {
            self.circuit.builder.assert_zero(bit.target);
        }
        Ok(())
    }

    fn sample_index(&mut self, bits: usize) -> Vec<BoolTarget> {
        let sample = self.sample();
        let mut index = self.circuit.canonical_low_bits(sample);
        index.truncate(bits);
        index
    }
}
