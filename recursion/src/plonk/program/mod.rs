//! The identity at the out-of-domain point as a program for a machine that knows no gate.
//!
//! A verifier on a chain cannot hold the gates of plonky2 as code: they would be far too large.
//! So what [`identities`] computes from the openings and the challenges is recorded once, as a
//! straight-line program over the extension field, and the chain runs that. Its only branches
//! are which instruction comes next, so it does the same for every proof.
//!
//! A program is given out only if it computes, at random openings and challenges, what plonky2
//! itself computes: each gate's constraints, and both sides of the identity. These are
//! polynomials in challenges that are random over 2^64 elements each, of a degree of some 2^16 at
//! most, or quotients of such: two that differ agree at a random point with a probability of some
//! 2^-48.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "programs are made once for each circuit, no verifier runs through here, and a panic \
              gives no program"
)]

mod check;
mod encode;
mod gates;
mod inputs;
mod interpolation;
mod interpret;
mod pairs;
mod poseidon2;
mod recorder;
mod row;
mod schedule;

#[cfg(test)]
mod tests;

use plonky2::field::types::Field as _;

use self::encode::Run;
use self::gates::all_constraints;
pub(super) use self::inputs::Inputs;
pub use self::inputs::OPENINGS;
pub use self::interpret::Outcome;
use self::recorder::{Node, Recorder};
use self::row::Row;
use super::gates::{Selectors, UnsupportedCircuit};
use super::vanishing::identities;
use super::{CommonData, Extension};

/// A circuit for which no program can be given out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The circuit is not of a kind that the system knows.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// A gate whose constraints are not written over an algebra.
    #[error("found a gate whose constraints no program has: {gate}")]
    UnknownGate {
        /// plonky2's id of the gate.
        gate: String,
    },
    /// The constraints of a gate are not plonky2's.
    #[error("the constraints of the gate {gate} are not those of plonky2, at a random row")]
    Gate {
        /// plonky2's id of the gate.
        gate: String,
    },
    /// The program does not compute what the verifier computes.
    #[error("the program gives other sides of equation {equation} than the verifier's code")]
    Identity {
        /// The equation: one for each challenge that combines the constraints.
        equation: usize,
    },
    /// Instructions that wait for each other.
    #[error("found {left} operations that wait for each other")]
    Order {
        /// Operations that are left.
        left: usize,
    },
    /// A number that does not fit.
    #[error("found the number {found} where two bytes are expected to hold it")]
    TooLarge {
        /// The number.
        found: usize,
    },
    /// A run of no known kind.
    #[error("found a run of kind {found}, expected one of 0 to 3")]
    UnknownKind {
        /// The kind found.
        found: u8,
    },
    /// A program that ends too early.
    #[error("found {found} bytes at the program's end, expected {expected}")]
    Cut {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// An instruction that names a slot in which nothing stands yet.
    #[error("found an instruction that reads a slot before it is written")]
    Slot,
    /// An instruction whose first factor should lie in the base field.
    #[error("found an instruction whose first factor does not lie in the base field")]
    Factor,
    /// An instruction that divides by zero.
    #[error("found an instruction that divides by zero")]
    Division,
}

/// The identity of one circuit as a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    inputs: usize,
    constants: Vec<u64>,
    runs: Vec<Run>,
    slots: usize,
}

impl Program {
    /// Returns the program of all circuits with these common data.
    ///
    /// # Errors
    /// For a gate that it does not know, and if the program were not the verifier's identity.
    pub fn new(common: &CommonData) -> Result<Self, ProgramError> {
        let selectors = Selectors::new(common)?;
        check::gates(common, &selectors)?;
        let program = Self::record(common, &selectors)?;
        check::program(common, &selectors, &program)?;
        Ok(program)
    }

    fn record(common: &CommonData, selectors: &Selectors) -> Result<Self, ProgramError> {
        let mut recorder = Recorder::default();
        for _ in 0..OPENINGS {
            recorder.input(false);
        }
        let element = |recorder: &mut Recorder| recorder.input(false);
        let word = |recorder: &mut Recorder| recorder.input(true);
        let inputs: Inputs<Node, Node> = Inputs::take(&mut recorder, common, element, word);
        let openings = inputs.openings(common);
        let row = Row {
            constants: &[],
            wires: openings.wires,
            public_inputs_hash: &inputs.public_inputs_hash,
        };
        let a = &mut recorder;
        let gates = all_constraints(a, common, selectors, openings.constants, row)?;
        let equations = identities(a, common, &openings, &inputs.challenges, &gates);
        let inputs = recorder.input_count();
        schedule::schedule(&recorder, inputs, &equations)
    }

    /// Returns how many slots hold the inputs: zero, the root X, the openings, the challenges and the
    /// hash of the public inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the constants, which stand in the slots after the inputs.
    #[must_use]
    pub fn constants(&self) -> &[u64] {
        &self.constants
    }

    /// Returns how many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Returns the program's bytes for a machine whose first slot is this word of its memory.
    ///
    /// # Errors
    /// If a number does not fit two bytes.
    pub fn encode(&self, first: usize) -> Result<Vec<u8>, ProgramError> {
        encode::encode(&self.runs, first)
    }

    /// Runs the program as the chain does, from its bytes, and returns what it computed.
    ///
    /// # Errors
    /// If it cannot be run to its end.
    pub fn run(&self, inputs: &[Extension]) -> Result<Outcome, ProgramError> {
        let constants = self.constants.iter();
        let constants = constants.map(|&value| Extension::from_canonical_u64(value));
        let slots = inputs.iter().copied().chain(constants).collect();
        // Any place in memory serves.
        let first = 0;
        interpret::interpret(&self.encode(first)?, first, slots)
    }
}
