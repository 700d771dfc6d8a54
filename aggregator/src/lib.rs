//! Aggregates shard proofs into one validity proof, and verifies it.
//!
//! [`Aggregator`] holds the aggregation circuit: it [admits](Aggregator::admit) proofs, joins
//! neighbours with [`aggregate`](Aggregator::aggregate), and [`finish`](Aggregator::finish)es the last
//! one, so that every [`ValidityProof`] is an aggregation under the one [`VerificationKey`], however
//! many shards it covers. [`verify`] needs that key and nothing else.
// What comes from elsewhere is looked at here: no input may make it panic, wrap or truncate.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod aggregator;
mod circuit;
mod key;
mod proof;
mod verify;
mod wire;

#[cfg(test)]
mod tests;

pub use aggregator::{AggregateError, Aggregator, Gap, ProvenStatement};
pub use circuit::{
    ARITY, AggregationCircuit, AggregationCircuitError, Child, Origin, aggregation_rows,
    common_degree_bits, flatten_key,
};
pub use key::{KeyError, VerificationKey};
pub use proof::{ProofError, ValidityProof};
pub use verify::{VerifyError, verify};
pub use wire::{WireError, encode_proof};
