//! Tests of the verifier circuit, on toy chips.

mod airs;
mod fixture;
mod gate;
mod proofs;
