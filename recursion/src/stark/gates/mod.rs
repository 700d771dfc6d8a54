//! The gates of the verifier circuit that plonky2 does not have.

mod arithmetic;
mod fold;
mod poseidon2;

pub(crate) use arithmetic::Arithmetic;
pub use fold::{FoldGate, FoldGenerator};
pub(crate) use poseidon2::constraints as poseidon2_constraints;
pub use poseidon2::{Poseidon2Gate, Poseidon2Generator, WIDTH};
