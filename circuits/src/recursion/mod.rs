//! The verifier of a shard's STARK as a plonky2 circuit.
//!
//! A port of `p3_batch_stark::verify_batch` for the one [`Config`](crate::config::Config);
//! `README.md` beside this file maps each native step to the function that repeats it here.

mod constraints;
mod error;
mod fri;
mod gates;
mod hash;
mod parts;
mod seeds;
mod shape;
mod transcript;
mod unpack;
mod verifier;

use p3_field::PrimeField64;
use plonky2::field::goldilocks_field::GoldilocksField;
use plonky2::field::types::Field;
use plonky2::plonk::circuit_builder::CircuitBuilder;

pub use error::RecursionError;
pub use gates::{FoldGate, FoldGenerator, Poseidon2Gate, Poseidon2Generator};
pub use parts::{FoldOpening, ProofParts, QueryParts, RoundParts, RowOpening};
pub use shape::{CommitmentShape, MatrixShape, Oracle, ProofShape, TableShape};
pub use verifier::{Cost, StarkProofTarget, StarkVerifier};

use crate::config::F;

/// An element of the base field, as plonky2 knows it.
pub type Word = GoldilocksField;
/// The degree of the extension field, X^2 = 7 in both libraries.
pub const D: usize = 2;
/// A plonky2 circuit under construction.
pub type Builder = CircuitBuilder<Word, D>;

/// A base-field element for plonky2.
#[must_use]
pub fn word(value: F) -> Word {
    Word::from_canonical_u64(value.as_canonical_u64())
}

#[cfg(test)]
mod tests;
