//! The gates of the verifier circuit that plonky2 does not have.

mod arithmetic;
mod fold;
mod poseidon2;

pub use fold::{FoldGate, FoldGenerator};
pub use poseidon2::{Poseidon2Gate, Poseidon2Generator, WIDTH};
