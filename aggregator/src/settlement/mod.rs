//! The settlement proof: what a validity proof states, in a form that an EVM chain verifies.
//!
//! Two circuits stand one upon the other, each of which verifies one proof under a key that it
//! holds as a constant, and states what that proof states and nothing else:
//!
//! | circuit | verifies | its trees | why |
//! | --- | --- | --- | --- |
//! | narrow | a proof of the [last circuit](crate::LastCircuit) | Poseidon2 | few queries, so that the outer circuit has few rows |
//! | outer | a proof of the narrow circuit | Keccak | a chain hashes Keccak for little gas |
//!
//! So the outer key pins the last key, and with it every circuit below.
//! The bytes of the proof and its transcript: `docs/settlement-proof.md`.

pub(crate) mod circuit;
mod key;
mod wire;

use plonky2::iop::witness::PartialWitness;
use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind};
use shardfold_protocol::head::Statement;
use shardfold_recursion::convert::statement_from_plonk;
use shardfold_recursion::plonk::{
    KeccakConfig, PlonkConfig, PlonkError, PlonkProof, PlonkVerifyError, UnsupportedCircuit, prove,
    prove_keccak, verify as verify_plonk, verify_keccak,
};
use shardfold_recursion::tree::{TreeError, narrow_common_data, outer_common_data};

use crate::wire::{WireError, decode_proof};
use crate::{ValidityProof, VerificationKey, VerifyError};
use circuit::Restating;
pub use key::{SettlementKey, SettlementKeyError};

/// How the file is marked.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::SettlementProof,
    version: 1,
    max_bytes: SettlementProof::MAX_BYTES,
};

/// A settlement proof, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementProof {
    bytes: Vec<u8>,
}

/// Why bytes are no settlement proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a settlement proof: {0}")]
pub struct SettlementProofError(#[from] pub EnvelopeError);

impl SettlementProof {
    /// The most bytes that a file may have: no profile's proofs come near this.
    pub const MAX_BYTES: u64 = 4 << 20;

    /// Returns what the chain gets: the proof without the header of our files.
    #[must_use]
    pub fn calldata(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a proof of an outer circuit and brings it to the form that the chain gets.
    #[must_use]
    pub fn of_outer(proof: &PlonkProof<KeccakConfig>) -> Self {
        let bytes = wire::encode(proof);
        Self { bytes }
    }

    /// Takes what the chain gets. It is looked at by [`verify_settlement`] only.
    #[must_use]
    pub fn from_calldata(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Returns the proof as a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        ENVELOPE.seal(&self.bytes)
    }

    /// Inverts [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// If the bytes are not one whole file that is marked as a settlement proof of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SettlementProofError> {
        let bytes = ENVELOPE.open(bytes)?.to_vec();
        Ok(Self { bytes })
    }
}

/// Why a settlement proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// The validity proof is refused.
    #[error(transparent)]
    Refused(#[from] VerifyError),
    /// A circuit does not fit the rows of its profile.
    #[error("the {circuit} circuit: {error}")]
    Circuit {
        /// Which of the two.
        circuit: &'static str,
        /// What is in the way.
        error: TreeError,
    },
    /// A circuit cannot be verified in a circuit.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// A circuit could not be proven.
    #[error("the {circuit} circuit cannot be proven: {error}")]
    Prove {
        /// Which of the two.
        circuit: &'static str,
        /// What is in the way.
        error: PlonkError,
    },
}

/// Both circuits, built for the validity proofs of one key.
#[derive(Debug)]
pub struct SettlementProver {
    last: VerificationKey,
    narrow: Restating<PlonkConfig>,
    outer: Restating<KeccakConfig>,
}

impl SettlementProver {
    /// Builds both circuits.
    ///
    /// # Errors
    /// If one does not fit the rows of the key's profile.
    pub fn build(last: VerificationKey) -> Result<Self, SettlementError> {
        let profile = last.profile;
        let (narrow_common, outer_common) =
            (narrow_common_data(profile), outer_common_data(profile));
        let grinding = last.grinding();
        let narrow = Restating::build("narrow", &last.key, &last.common, grinding, &narrow_common)?;
        let grinding = profile.narrow().grinding;
        let outer = Restating::build(
            "outer",
            narrow.key(),
            &narrow_common,
            grinding,
            &outer_common,
        )?;
        Ok(Self {
            last,
            narrow,
            outer,
        })
    }

    /// Returns the key of the proofs.
    #[must_use]
    pub fn key(&self) -> SettlementKey {
        SettlementKey::new(self.last.profile, self.outer.key().clone())
    }

    /// Proves what a validity proof states. The proof is verified first.
    ///
    /// # Errors
    /// If the validity proof is refused.
    pub fn prove(&self, proof: &ValidityProof) -> Result<SettlementProof, SettlementError> {
        let last = decode_proof(proof.proof(), &self.last.common).map_err(VerifyError::from)?;
        verify_plonk(
            &self.last.key,
            &self.last.common,
            self.last.grinding(),
            &last,
        )
        .map_err(VerifyError::from)?;
        let profile = self.last.profile;
        let failed = |circuit| move |error| SettlementError::Prove { circuit, error };
        let narrow = self
            .narrow
            .witness(&last)
            .and_then(|witness: PartialWitness<_>| {
                prove(&self.narrow.circuit, profile.narrow().grinding, witness)
            });
        let narrow = narrow.map_err(failed("narrow"))?;
        let outer = self.outer.witness(&narrow).and_then(|witness| {
            prove_keccak(&self.outer.circuit, profile.outer().grinding, witness)
        });
        let outer = outer.map_err(failed("outer"))?;
        Ok(SettlementProof::of_outer(&outer))
    }
}

/// Why a settlement proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum SettlementVerifyError {
    /// The bytes are no proof of the key's shape.
    #[error("malformed settlement proof: {0}")]
    Malformed(#[from] WireError),
    /// The proof is false.
    #[error("the settlement proof does not verify: {0}")]
    Invalid(#[from] PlonkVerifyError),
    /// The public inputs are no statement. No proof of the key's shape is known to do this.
    #[error("the settlement proof's public inputs are no statement")]
    Statement,
}

/// Verifies a settlement proof and returns what it states, as [`verify`](crate::verify) does for a
/// validity proof: here off the chain, by the same steps as on it.
///
/// # Errors
/// If the proof is malformed, false, or of another key. Does not panic, whatever the bytes.
pub fn verify_settlement(
    key: &SettlementKey,
    proof: &SettlementProof,
) -> Result<Statement, SettlementVerifyError> {
    let outer = wire::decode(&proof.bytes, &key.common)?;
    verify_keccak(&key.key, &key.common, key.grinding(), &outer)?;
    statement_from_plonk(outer.public_inputs()).ok_or(SettlementVerifyError::Statement)
}
