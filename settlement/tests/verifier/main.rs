//! The verifier on a chain in memory, with real proofs of a circuit that verifies another.

#[path = "../common/chain.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod chain;

mod accept;
mod block;
mod fixture;
mod gas;
mod parts;
mod refuse;
mod transcripts;
