//! Tests of the verifier circuit, on toy chips.

mod airs;
mod cost;
mod fixture;
mod gate;
mod proofs;
mod transcript;
