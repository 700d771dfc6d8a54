//! What a worker proves with: the circuits of one profile.

use shardfold_aggregator::{
    ARITY, AggregateError, AggregationCircuit, AggregationCircuitError, Aggregator, Origin,
    ProvenStatement, ValidityProof, VerificationKey, VerifyError, verify,
};
use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{CircuitSet, SetError};
use shardfold_prover::{ProveError, Stage, prove_shard};
use shardfold_recursion::profile::Profile;
use std::ops::ControlFlow;
use std::time::Duration;

/// The circuits of a profile, loaded: those of shards when they are first needed.
pub struct Engine {
    circuits: CircuitSet,
    aggregator: Aggregator,
}

/// Why circuits cannot be used, or a proof not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The circuits are not available.
    #[error(transparent)]
    Circuits(#[from] SetError),
    /// A shard could not be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// Proofs could not be aggregated.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// The aggregation circuit could not be built.
    #[error(transparent)]
    AggregationCircuit(#[from] AggregationCircuitError),
    /// The finished proof does not verify.
    #[error("the finished proof does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A valid proof of something else.
    #[error("the proof states {found:?}, expected {expected:?}")]
    Statement {
        /// The statement of the proof.
        found: Box<Statement>,
        /// The statement that it should prove.
        expected: Box<Statement>,
    },
}

impl Engine {
    /// Loads or builds the circuits that every worker needs.
    ///
    /// # Errors
    /// If they cannot be built.
    pub fn new(circuits: CircuitSet) -> Result<Self, EngineError> {
        let aggregation = aggregation_circuit(&circuits)?;
        let aggregator = Aggregator::new(&circuits.profile().plonk(), aggregation)?;
        Ok(Self {
            circuits,
            aggregator,
        })
    }

    /// Returns the profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.circuits.profile()
    }

    /// Returns the circuits of all shapes.
    #[must_use]
    pub const fn circuits(&self) -> &CircuitSet {
        &self.circuits
    }

    /// Returns the key under which the finished proofs verify; it pins all circuits.
    #[must_use]
    pub fn key(&self) -> &VerificationKey {
        self.aggregator.verification_key()
    }

    /// Returns how many proofs one aggregation joins.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.aggregator.arity()
    }

    /// Proves a shard; the proof is verified. `observe` hears how long each stage took and may
    /// end the work there.
    ///
    /// # Errors
    /// If the witness does not prove its statement, or `observe` ends the work.
    pub fn prove(
        &self,
        witness: &ShardWitness,
        observe: impl FnMut(Stage, Duration) -> ControlFlow<()>,
    ) -> Result<ProvenStatement, EngineError> {
        let proof = prove_shard(&self.circuits, witness, observe)?;
        let key = self.circuits.position(&witness.shape)?;
        Ok(self.aggregator.admit(Origin::Leaf(key), proof)?)
    }

    /// Aggregates neighbours; the proof is verified.
    ///
    /// # Errors
    /// If they are no neighbours.
    pub fn aggregate(&self, parts: &[ProvenStatement]) -> Result<ProvenStatement, EngineError> {
        let aggregated = self.aggregator.aggregate(parts)?;
        Ok(self
            .aggregator
            .admit(Origin::Aggregation, aggregated.proof().clone())?)
    }

    /// Returns the proof of a part from its bytes, verified, if it states what is expected.
    ///
    /// # Errors
    /// If it is no valid proof of this statement.
    pub fn decode(
        &self,
        bytes: &[u8],
        expected: &Statement,
    ) -> Result<ProvenStatement, EngineError> {
        let proven = self.aggregator.decode(bytes)?;
        check(proven.statement(), expected)?;
        Ok(proven)
    }

    /// Returns the validity proof of a whole batch, verified.
    ///
    /// # Errors
    /// If it does not verify, or states something else.
    pub fn finish(
        &self,
        root: &ProvenStatement,
        expected: &Statement,
    ) -> Result<ValidityProof, EngineError> {
        let proof = self.aggregator.finish(root)?;
        self.check_finished(&proof, expected)?;
        Ok(proof)
    }

    /// Verifies a validity proof of this statement.
    ///
    /// # Errors
    /// If it does not verify, or states something else.
    pub fn check_finished(
        &self,
        proof: &ValidityProof,
        expected: &Statement,
    ) -> Result<(), EngineError> {
        check(&verify(self.key(), proof)?, expected)
    }
}

/// Returns the aggregation circuit of a profile, from the cache or built; building needs the
/// circuits of all shapes.
///
/// # Errors
/// If a circuit cannot be built.
pub fn aggregation_circuit(circuits: &CircuitSet) -> Result<AggregationCircuit, EngineError> {
    circuits.cache().load_or_build("aggregation", || {
        let (common, keys) = (circuits.common()?, circuits.keys()?);
        let grinding = circuits.profile().plonk().grinding;
        Ok(AggregationCircuit::build(common, keys, ARITY, grinding)?)
    })
}

fn check(found: &Statement, expected: &Statement) -> Result<(), EngineError> {
    if found == expected {
        return Ok(());
    }
    Err(EngineError::Statement {
        found: Box::new(*found),
        expected: Box::new(*expected),
    })
}
