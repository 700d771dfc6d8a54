//! What a worker proves with: the circuits of one profile.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use shardfold_aggregator::{
    AggregateError, AggregationCircuit, AggregationCircuitError, Aggregator, LastCircuit, Origin,
    ProofError, ProvenStatement, SettlementKey, SettlementProof, SettlementProofError,
    SettlementVerifyError, TreeForm, ValidityProof, VerificationKey, VerifyError, verify,
    verify_settlement,
};
use shardfold_protocol::field::F;
use shardfold_protocol::head::Statement;
use shardfold_protocol::witness::ShardWitness;
use shardfold_prover::{CircuitSet, Lazy, SetError};
use shardfold_prover::{ProveError, Stage, prove_shard};
use shardfold_recursion::profile::Profile;

use crate::settling::{Published, SettleError, SettlementCircuits, settle, settlement_prover};

/// The circuits of a profile: the last is loaded, the others when they are first needed.
pub struct Engine {
    circuits: CircuitSet,
    aggregator: Aggregator,
    aggregation: Lazy<AggregationCircuit>,
    /// As long as anybody has them: they are larger than all others, and seldom needed.
    settlement: Mutex<Weak<SettlementCircuits>>,
    settlement_key: OnceLock<SettlementKey>,
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
    /// A settlement proof could not be made.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// Bytes that are no settlement proof.
    #[error(transparent)]
    SettlementProof(#[from] SettlementProofError),
    /// Bytes that are no validity proof.
    #[error(transparent)]
    ValidityProof(#[from] ProofError),
    /// A settlement proof does not verify.
    #[error(transparent)]
    VerifySettlement(#[from] SettlementVerifyError),
    /// A valid settlement proof at another point.
    #[error("the settlement proof is of the point {found:?}, expected {expected:?}")]
    Point {
        /// The point of the proof.
        found: [u64; 2],
        /// The point that it should be of.
        expected: [u64; 2],
    },
}

impl Engine {
    /// Loads or builds the last circuit, which knows the keys of all others.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn new(circuits: CircuitSet) -> Result<Self, EngineError> {
        let aggregation = Lazy::new();
        let last = circuits.cache().load_or_build("last", || {
            // Built, it needs all others; the aggregation circuit is there for what follows.
            let aggregation = aggregation_of(&circuits, &aggregation)?;
            let keys = aggregation.keys().clone();
            Ok::<_, EngineError>(LastCircuit::build(circuits.profile(), keys)?)
        })?;
        Ok(Self {
            circuits,
            aggregator: Aggregator::new(last),
            aggregation,
            settlement: Mutex::default(),
            settlement_key: OnceLock::new(),
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

    /// Returns the aggregation circuit, from the cache or built when it is first asked for.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn aggregation(&self) -> Result<&AggregationCircuit, EngineError> {
        aggregation_of(&self.circuits, &self.aggregation)
    }

    /// Returns what admits and joins proofs.
    #[must_use]
    pub const fn aggregator(&self) -> &Aggregator {
        &self.aggregator
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
        let aggregated = self.aggregator.aggregate(self.aggregation()?, parts)?;
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

    /// Returns the circuits of settlement proofs, from the cache or built. Those that are still
    /// used are not loaded again; none are kept.
    ///
    /// # Errors
    /// If they cannot be built.
    pub fn settlement(&self) -> Result<Arc<SettlementCircuits>, EngineError> {
        // Who asks while they are loaded waits. A thread that panicked has left nothing.
        let mut slot = self
            .settlement
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(circuits) = slot.upgrade() {
            return Ok(circuits);
        }
        let circuits = Arc::new(settlement_prover(&self.circuits, self.key())?);
        self.settlement_key.get_or_init(|| circuits.key());
        *slot = Arc::downgrade(&circuits);
        Ok(circuits)
    }

    /// Returns the key of settlement proofs, for which their circuits are loaded once.
    ///
    /// # Errors
    /// If they cannot be built.
    pub fn settlement_key(&self) -> Result<SettlementKey, EngineError> {
        match self.settlement_key.get() {
            Some(key) => Ok(key.clone()),
            None => Ok(self.settlement()?.key()),
        }
    }

    /// Returns the settlement proof of a validity proof of this statement, verified: of these
    /// differences, whole blocks, at a point of two words.
    ///
    /// # Errors
    /// If the differences are those of another batch.
    pub fn wrap(
        &self,
        proof: &ValidityProof,
        differences: &[F],
        point: [u64; 2],
        expected: &Statement,
    ) -> Result<SettlementProof, EngineError> {
        let circuits = self.settlement()?;
        let data = Published {
            before: &expected.before.data_commitment,
            differences,
            point,
        };
        let (proof, stated) = settle(&self.circuits, &circuits, proof, data)?;
        check(&stated.statement, expected)?;
        check_point(stated.evaluation.point, point)?;
        Ok(proof)
    }

    /// Verifies a settlement proof of this statement, of data at this point.
    ///
    /// # Errors
    /// If it does not verify, or states something else.
    pub fn check_wrapped(
        &self,
        proof: &SettlementProof,
        expected: &Statement,
        point: [u64; 2],
    ) -> Result<(), EngineError> {
        let stated = verify_settlement(&self.settlement_key()?, proof)?;
        check(&stated.statement, expected)?;
        check_point(stated.evaluation.point, point)
    }
}

/// What is in the cell, or the aggregation circuit of the profile, from the cache or built; building
/// needs the circuits of all shapes.
fn aggregation_of<'a>(
    circuits: &CircuitSet,
    cell: &'a Lazy<AggregationCircuit>,
) -> Result<&'a AggregationCircuit, EngineError> {
    cell.get_or_try(|| {
        circuits.cache().load_or_build("aggregation", || {
            let profile = circuits.profile();
            let form = TreeForm {
                common: circuits.common()?.clone(),
                grinding: profile.plonk().grinding,
            };
            let keys = circuits.keys()?;
            Ok(AggregationCircuit::build(&form, keys, profile.arity())?)
        })
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

fn check_point(found: [u64; 2], expected: [u64; 2]) -> Result<(), EngineError> {
    if found == expected {
        return Ok(());
    }
    Err(EngineError::Point { found, expected })
}
