//! The verifier of a shard's STARK as a plonky2 circuit.
//!
//! A port of `p3_batch_stark::verify_batch` for the one [`Config`](crate::config::Config);
//! `README.md` beside this file maps each native step to the function that repeats it here.

mod error;
mod parts;
mod poseidon2_gate;
mod shape;

use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::plonk::circuit_builder::CircuitBuilder;

pub use error::RecursionError;
pub use parts::{FoldOpening, ProofParts, QueryParts, RoundParts, RowOpening};
pub use poseidon2_gate::{Poseidon2Gate, Poseidon2Generator};
pub use shape::{CommitmentShape, MatrixShape, Oracle, ProofShape, TableShape};

/// An element of the base field, as plonky2 knows it.
pub type Word = GoldilocksField;
/// The degree of the extension field, X^2 = 7 in both libraries.
pub const D: usize = 2;
/// A plonky2 circuit under construction.
pub type Builder = CircuitBuilder<Word, D>;

#[cfg(test)]
mod tests;
