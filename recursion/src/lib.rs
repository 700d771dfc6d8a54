//! A batch STARK's verifier as a plonky2 circuit, and what all proofs of one recursion tree
//! share: configurations of both libraries, gates, common data, security. It knows no chip.

pub mod config;
pub mod convert;
pub mod permutation;
pub mod plonk;
pub mod profile;
pub mod security;
pub mod serializers;
pub mod stark;
pub mod tree;
