//! Tests of the verifier circuit, on toy chips.

mod airs;
mod caps;
mod cheats;
mod cost;
mod damage;
pub mod fixture;
mod gate;
mod proofs;
mod shape;
mod transcript;
