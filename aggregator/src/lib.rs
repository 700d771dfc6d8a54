//! Folds shard proofs into one validity proof, and verifies it.
//!
//! [`Aggregator`] holds the fold circuit: it [admits](Aggregator::admit) proofs, joins
//! neighbours with [`fold`](Aggregator::fold), and [`finish`](Aggregator::finish)es the last
//! one, so that every [`ValidityProof`] is a fold under the one [`VerificationKey`], however
//! many shards it covers. [`verify`] needs that key and nothing else.

mod aggregator;
mod key;
mod proof;
mod verify;

#[cfg(test)]
mod tests;

pub use aggregator::{AggregateError, Aggregator, Gap, ProvenStatement};
pub use key::{KeyError, VerificationKey};
pub use proof::{ProofError, ValidityProof};
pub use verify::{VerifyError, verify};
