//! Joining proofs of neighbouring statements.

use crate::circuit::{AggregationCircuit, AggregationCircuitError, Child, Origin};
use crate::wire::{WireError, decode_proof, encode_proof};
use p3_field::PrimeField64 as _;
use shardfold_protocol::head::{Head, Statement};
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::{PlonkParameters, PlonkProof};
use shardfold_recursion::tree::{common_data, gate_set};
use std::fmt;

use crate::{ValidityProof, VerificationKey};

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
    /// The aggregation circuit was built with other parameters or another gate set.
    #[error("the aggregation circuit was not built for the profile {profile}")]
    Profile {
        /// Name of the profile.
        profile: &'static str,
    },
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
    /// The circuit refused.
    #[error(transparent)]
    Circuit(#[from] AggregationCircuitError),
}

/// Aggregates proofs of one profile.
#[derive(Debug)]
pub struct Aggregator {
    circuit: AggregationCircuit,
    key: VerificationKey,
}

impl Aggregator {
    /// Returns an aggregator with this aggregation circuit.
    ///
    /// # Errors
    /// If the circuit's common data and grinding are not those of `parameters` and the system's gate
    /// set, from which every verifier derives them.
    pub fn new(
        parameters: &PlonkParameters,
        circuit: AggregationCircuit,
    ) -> Result<Self, AggregateError> {
        let degree_bits = circuit.common().degree_bits();
        let common = common_data(parameters, degree_bits, &gate_set(parameters));
        if common != *circuit.common() || parameters.grinding != circuit.grinding() {
            return Err(AggregateError::Profile {
                profile: parameters.profile,
            });
        }
        let key = VerificationKey::new(parameters, common, circuit.key().clone());
        Ok(Self { circuit, key })
    }

    /// Returns the key under which every validity proof verifies.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        &self.key
    }

    /// Returns how many proofs one aggregation joins.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.circuit.arity()
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
        self.circuit.check_child(
            0,
            &Child {
                origin,
                proof: &proof,
            },
        )?;
        let statement =
            statement_from_plonk(proof.public_inputs()).ok_or(AggregateError::Truncated)?;
        Ok(ProvenStatement {
            statement,
            origin,
            proof,
        })
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
        self.admit(origin, decode_proof(proof, self.circuit.common())?)
    }

    /// Joins one to [`arity`](Self::arity) neighbours, in order.
    ///
    /// # Errors
    /// If the proofs are of different chains or no neighbours, or too many.
    pub fn aggregate(&self, proofs: &[ProvenStatement]) -> Result<ProvenStatement, AggregateError> {
        check_neighbours(proofs)?;
        let children: Vec<Child<'_>> = proofs
            .iter()
            .map(|proven| Child {
                origin: proven.origin,
                proof: &proven.proof,
            })
            .collect();
        let proof = self.circuit.prove(&children)?;
        let statement =
            statement_from_plonk(proof.public_inputs()).ok_or(AggregateError::Truncated)?;
        tracing::debug!(
            children = children.len(),
            from = statement.before.tx_count,
            to = statement.after.tx_count,
            "aggregated"
        );
        Ok(ProvenStatement {
            statement,
            origin: Origin::Aggregation,
            proof,
        })
    }

    /// Returns the validity proof of one statement: an aggregation as it is, a shard proof
    /// aggregated alone, so that one key verifies both.
    ///
    /// # Errors
    /// If the aggregation fails.
    pub fn finish(&self, proven: &ProvenStatement) -> Result<ValidityProof, AggregateError> {
        let root = match proven.origin {
            Origin::Aggregation => proven.proof.clone(),
            Origin::Leaf(_) => self.aggregate(std::slice::from_ref(proven))?.proof,
        };
        Ok(ValidityProof::new(&root))
    }

    /// Aggregates neighbours, level by level, into one validity proof, on this machine.
    ///
    /// # Errors
    /// If there is no proof, or the proofs are of different chains or no neighbours.
    pub fn aggregate_all(
        &self,
        proofs: Vec<ProvenStatement>,
    ) -> Result<ValidityProof, AggregateError> {
        check_neighbours(&proofs)?;
        let mut level = proofs;
        while level.len() > 1 && self.arity() > 1 {
            level = level
                .chunks(self.arity())
                .map(|group| match group {
                    [alone] => Ok(alone.clone()),
                    _ => self.aggregate(group),
                })
                .collect::<Result<_, _>>()?;
        }
        match level.as_slice() {
            [root] => self.finish(root),
            [] => Err(AggregateError::Nothing),
            _ => Err(AggregationCircuitError::Children {
                found: level.len(),
                arity: self.arity(),
            }
            .into()),
        }
    }
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
