//! Aggregates shard proofs into one validity proof, and verifies it.
//!
//! [`Aggregator`] [admits](Aggregator::admit) proofs, joins neighbours with
//! [`aggregate`](Aggregator::aggregate), and [`finish`](Aggregator::finish)es one: every
//! [`ValidityProof`] is one of the [`LastCircuit`], under the one [`VerificationKey`], however many
//! shards it covers. [`verify`] needs that key and nothing else.
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
mod last;
mod proof;
mod settlement;
mod tree;
mod verify;
mod wire;

#[cfg(test)]
mod tests;

pub use aggregator::{AggregateError, Aggregator, Gap, ProvenStatement};
pub use circuit::{
    AggregationCircuit, AggregationCircuitError, aggregation_rows, common_degree_bits,
};
pub use key::{KeyError, VerificationKey};
pub use last::LastCircuit;
pub use proof::{ProofError, ValidityProof};
pub use settlement::{
    JointCircuit, NarrowCircuit, OuterCircuit, SettlementError, SettlementKey, SettlementKeyError,
    SettlementProof, SettlementProofError, SettlementProver, SettlementVerifyError,
    verify_settlement,
};
pub use tree::{Child, ChildError, Origin, TreeForm, TreeKeys, flatten_key};
pub use verify::{VerifyError, verify};
pub use wire::{WireError, encode_proof};
