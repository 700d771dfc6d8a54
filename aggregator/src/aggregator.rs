//! Joining proofs of neighbouring statements.

use crate::circuit::{AggregationCircuit, AggregationCircuitError};
use crate::tree::{Child, ChildError, Origin};
use crate::wire::{WireError, decode_proof, encode_proof};
use p3_field::PrimeField64 as _;
use shardfold_protocol::head::{Head, Statement};
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::PlonkProof;
use std::fmt;

use crate::{LastCircuit, ValidityProof, VerificationKey};

/// A proof of the tree that has been verified, and what it states.
#[derive(Clone, Debug)]
pub struct ProvenStatement {
    statement: Statement,
    origin: Origin,
    proof: PlonkProof,
}

impl ProvenStatement {
    /// Returns what the proof states.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Returns which key the proof verifies under.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns the proof itself.
    #[must_use]
    pub fn proof(&self) -> &PlonkProof {
        &self.proof
    }

    fn as_child(&self) -> Child<'_> {
        Child {
            origin: self.origin,
            proof: &self.proof,
        }
    }

    /// Returns the proof for transport between machines: [`Aggregator::decode`] takes it in again.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let origin = match self.origin {
            Origin::Aggregation => u32::MAX,
            Origin::Leaf(key) => u32::try_from(key).unwrap_or(u32::MAX - 1),
        };
        [origin.to_le_bytes().as_slice(), &encode_proof(&self.proof)].concat()
    }
}

/// Two proofs side by side whose heads do not meet.
#[derive(Debug)]
pub struct Gap {
    /// Position of the left proof.
    pub left: usize,
    /// The head where the left proof ends.
    pub ends: Head,
    /// The head where the right proof starts.
    pub starts: Head,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, ends, starts } = self;
        write!(
            f,
            "proof {left} ends at {}, proof {} starts at {}",
            Name(ends),
            left.saturating_add(1),
            Name(starts)
        )?;
        if ends.tx_count == starts.tx_count && ends.state_root == starts.state_root {
            write!(f, " (their counts of deposits or their commitments differ)")?;
        }
        Ok(())
    }
}

/// A head by its transaction count and state root.
struct Name<'a>(&'a Head);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self
            .0
            .state_root
            .map(|element| format!("{:016x}", element.as_canonical_u64()));
        write!(
            f,
            "transaction {} with state root {}",
            self.0.tx_count,
            root.concat()
        )
    }
}

/// Why proofs could not be aggregated.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    /// The aggregation circuit has other keys than the last circuit knows.
    #[error("the aggregation circuit is that of another tree")]
    OtherTree,
    /// No proof was given.
    #[error("there is no proof to aggregate")]
    Nothing,
    /// The proofs are of different chains.
    #[error("proof 0 is of chain {expected}, proof {position} of chain {found}")]
    Chain {
        /// Position of the proof that differs.
        position: usize,
        /// The chain id of the proof that differs.
        found: u64,
        /// The chain id of the first proof.
        expected: u64,
    },
    /// The proofs are no neighbours.
    #[error("the proofs are no neighbours: {0}")]
    Gap(Box<Gap>),
    /// The bytes are no proof of the tree.
    #[error("not a proof of this tree: {0}")]
    Wire(#[from] WireError),
    /// The bytes end before the proof starts.
    #[error("the proof is missing")]
    Truncated,
    /// A proof is none of the tree.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The circuit refused.
    #[error(transparent)]
    Circuit(#[from] AggregationCircuitError),
}

/// Admits, joins and finishes proofs of one tree.
///
/// It holds the last circuit, which has the keys of all others as constants; the aggregation
/// circuit is handed in where proofs are joined, since a batch of one shard needs none.
#[derive(Debug)]
pub struct Aggregator {
    last: LastCircuit,
    key: VerificationKey,
}

impl Aggregator {
    /// Returns an aggregator with this last circuit.
    #[must_use]
    pub fn new(last: LastCircuit) -> Self {
        let key = VerificationKey::new(last.profile(), last.key().clone());
        Self { last, key }
    }

    /// Returns the key under which every validity proof verifies.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        &self.key
    }

    /// Verifies a proof and reads its statement.
    ///
    /// # Errors
    /// If the proof does not verify under the key of its origin.
    pub fn admit(
        &self,
        origin: Origin,
        proof: PlonkProof,
    ) -> Result<ProvenStatement, AggregateError> {
        let child = Child {
            origin,
            proof: &proof,
        };
        self.last.keys().check(0, &child)?;
        stated(origin, proof)
    }

    /// Decodes and [admits](Self::admit) what [`ProvenStatement::to_bytes`] wrote, on whichever
    /// machine.
    ///
    /// # Errors
    /// If the bytes are no valid proof of this tree.
    pub fn decode(&self, bytes: &[u8]) -> Result<ProvenStatement, AggregateError> {
        let (origin, proof) = bytes
            .split_first_chunk::<4>()
            .ok_or(AggregateError::Truncated)?;
        let origin = match u32::from_le_bytes(*origin) {
            u32::MAX => Origin::Aggregation,
            key => Origin::Leaf(usize::try_from(key).unwrap_or(usize::MAX)),
        };
        let common = &self.last.keys().form.common;
        self.admit(origin, decode_proof(proof, common)?)
    }

    /// Joins one to [`arity`](AggregationCircuit::arity) neighbours, in order.
    ///
    /// # Errors
    /// If the proofs are of different chains or no neighbours, or too many, or the circuit is that
    /// of another tree.
    pub fn aggregate(
        &self,
        circuit: &AggregationCircuit,
        proofs: &[ProvenStatement],
    ) -> Result<ProvenStatement, AggregateError> {
        if circuit.keys() != self.last.keys() {
            return Err(AggregateError::OtherTree);
        }
        check_neighbours(proofs)?;
        let children: Vec<Child<'_>> = proofs.iter().map(ProvenStatement::as_child).collect();
        let joined = stated(Origin::Aggregation, circuit.prove(&children)?)?;
        tracing::debug!(
            children = children.len(),
            from = joined.statement.before.tx_count,
            to = joined.statement.after.tx_count,
            "aggregated"
        );
        Ok(joined)
    }

    /// Returns the validity proof of one statement, a shard's or an aggregation's.
    ///
    /// # Errors
    /// If it cannot be proven.
    pub fn finish(&self, proven: &ProvenStatement) -> Result<ValidityProof, AggregateError> {
        let proof = self.last.prove(&proven.as_child())?;
        Ok(ValidityProof::new(&proof))
    }
}

/// A verified proof with what it states.
fn stated(origin: Origin, proof: PlonkProof) -> Result<ProvenStatement, AggregateError> {
    let statement = statement_from_plonk(proof.public_inputs()).ok_or(AggregateError::Truncated)?;
    Ok(ProvenStatement {
        statement,
        origin,
        proof,
    })
}

/// Says where proofs do not meet, before the circuit fails without a reason.
fn check_neighbours(proofs: &[ProvenStatement]) -> Result<(), AggregateError> {
    let first = proofs.first().ok_or(AggregateError::Nothing)?;
    let expected = first.statement.chain_id;
    for (position, proven) in proofs.iter().enumerate() {
        let found = proven.statement.chain_id;
        if found != expected {
            return Err(AggregateError::Chain {
                position,
                found,
                expected,
            });
        }
    }
    for (left, (one, next)) in proofs.iter().zip(proofs.iter().skip(1)).enumerate() {
        let (ends, starts) = (one.statement.after, next.statement.before);
        if ends != starts {
            return Err(AggregateError::Gap(Box::new(Gap { left, ends, starts })));
        }
    }
    Ok(())
}
