//! Tests of the verifier circuit, on toy chips.

mod airs;
mod cost;
mod damage;
mod fixture;
mod gate;
mod proofs;
mod shape;
mod transcript;
