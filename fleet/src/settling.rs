//! Settlement proofs: the circuits, from the cache or built, and what they prove.

use std::sync::Arc;

use shardfold_aggregator::{
    JointCircuit, NarrowCircuit, OuterCircuit, SettlementError, SettlementKey, SettlementProof,
    SettlementProver, SettlementVerifyError, ValidityProof, VerificationKey, verify_settlement,
};
use shardfold_protocol::data::Settlement;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_prover::{CircuitSet, DataCircuit, ProveError, SetError, prove_data};

/// Why a settlement proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The data circuit is not available.
    #[error(transparent)]
    Circuits(#[from] SetError),
    /// The data could not be proven.
    #[error(transparent)]
    Data(#[from] ProveError),
    /// A circuit could not be built, or refuses.
    #[error(transparent)]
    Settlement(#[from] SettlementError),
    /// The proof that was made does not verify.
    #[error("the settlement proof that was made: {0}")]
    Verify(#[from] SettlementVerifyError),
}

/// The circuits of settlement proofs, for as long as somebody has them.
#[derive(Debug)]
pub struct SettlementCircuits {
    prover: SettlementProver,
    /// The set of circuits would let it go.
    _data: Arc<DataCircuit>,
}

impl SettlementCircuits {
    /// Returns the key of the proofs.
    #[must_use]
    pub fn key(&self) -> SettlementKey {
        self.prover.key()
    }
}

/// Loads or builds the circuits that make settlement proofs of validity proofs under a key.
///
/// # Errors
/// If one does not fit the rows of its profile.
pub fn settlement_prover(
    circuits: &CircuitSet,
    last: &VerificationKey,
) -> Result<SettlementCircuits, SettleError> {
    let (profile, data) = (circuits.profile(), circuits.data()?);
    let cache = circuits.cache();
    // The folder's name tells apart what this build makes; a key may come from elsewhere.
    let id = hex::encode(&last.id()[..8]);
    let name = |circuit: &str| format!("{circuit}-{id}");
    let joint = cache.load_or_build(&name("joint"), || JointCircuit::build(last, data.key()))?;
    let narrow = cache.load_or_build(&name("narrow"), || {
        NarrowCircuit::narrow(profile, joint.key())
    })?;
    let outer = cache.load_or_build(&name("outer"), || {
        OuterCircuit::outer(profile, narrow.key())
    })?;
    let prover = SettlementProver {
        last: last.clone(),
        data: data.key().clone(),
        joint,
        narrow,
        outer,
    };
    Ok(SettlementCircuits {
        prover,
        _data: data,
    })
}

/// What is published of a batch: its differences, and the point at which the chain asks for them.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The commitment to differences before the batch.
    pub before: &'a Digest,
    /// The differences, whole blocks.
    pub differences: &'a [F],
    /// The point that what is published gives.
    pub point: [u64; 2],
}

/// Makes the settlement proof of a validity proof and of what is published of its batch. It is
/// verified.
///
/// # Errors
/// If the differences are those of another batch, or are more than one settlement publishes.
pub fn settle(
    circuits: &CircuitSet,
    settlement: &SettlementCircuits,
    proof: &ValidityProof,
    published: Published<'_>,
) -> Result<(SettlementProof, Settlement), SettleError> {
    let Published {
        before,
        differences,
        point,
    } = published;
    let (data, _) = prove_data(circuits, before, differences, point)?;
    let proof = settlement.prover.prove(proof, &data)?;
    let stated = verify_settlement(&settlement.key(), &proof)?;
    Ok((proof, stated))
}
