//! The verifier of a shard's STARK as a plonky2 circuit.
//!
//! A port of `p3_batch_stark::verify_batch` for the one [`Config`](crate::config::Config);
//! `README.md` beside this file maps each native step to the function that repeats it here.

mod constraints;
mod error;
mod fri;
mod gates;
mod hash;
mod layout;
mod parts;
mod seeds;
mod shape;
mod transcript;
mod unpack;
mod verifier;

pub use error::RecursionError;
pub(crate) use gates::{Arithmetic, poseidon2_constraints};
pub use gates::{FoldGate, FoldGenerator, Poseidon2Gate, Poseidon2Generator, WIDTH};
pub use layout::{CommitmentShape, MatrixShape, Oracle, TableShape};
pub use parts::{FoldOpening, ProofParts, QueryParts, RoundParts, RowOpening};
pub use shape::ProofShape;
pub use verifier::{Cost, StarkProofTarget, StarkVerifier};

pub use crate::convert::to_plonk as word;
pub use crate::plonk::{Builder, D, PlonkField as Word};

#[cfg(test)]
pub(crate) mod tests;
