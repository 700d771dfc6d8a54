//! The settlement proof: what a validity proof states and what its data are at a point, in a form that
//! an EVM chain verifies.
//!
//! Three circuits stand one upon the other, which hold the keys of what they verify as constants:
//!
//! | circuit | verifies | its trees | why |
//! | --- | --- | --- | --- |
//! | joint | a proof of the [last circuit](crate::LastCircuit), and one of the data circuit | Poseidon2 | what was published is of the batch that was proven |
//! | narrow | a proof of the joint circuit | Poseidon2 | few queries, so that the outer circuit has few rows |
//! | outer | a proof of the narrow circuit | Keccak | a chain hashes Keccak for little gas |
//!
//! So the outer key pins the last key and the data key, and with them every circuit below.
//! The bytes of the proof and its transcript: `docs/settlement-proof.md`.

pub(crate) mod circuit;
mod joint;
mod key;
mod wire;

use shardfold_protocol::data::Settlement;
use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind};
use shardfold_recursion::convert::settlement_from_plonk;
use shardfold_recursion::plonk::{
    KeccakConfig, PlonkError, PlonkProof, PlonkVerifyError, UnsupportedCircuit, VerifierKey, prove,
    prove_keccak, verify as verify_plonk, verify_keccak,
};
use shardfold_recursion::tree::TreeError;

use crate::wire::{WireError, decode_proof};
use crate::{ValidityProof, VerificationKey, VerifyError};
pub use circuit::{NarrowCircuit, OuterCircuit};
pub use joint::JointCircuit;
use joint::form_of_data;
pub use key::{SettlementKey, SettlementKeyError};

/// How the file is marked.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::SettlementProof,
    version: 2,
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
    /// The proof of data is refused.
    #[error("the proof of data does not verify: {0}")]
    Data(#[source] PlonkVerifyError),
    /// A circuit does not fit the rows of its profile.
    #[error("the {circuit} circuit: {error}")]
    Circuit {
        /// Which one.
        circuit: &'static str,
        /// What is in the way.
        error: TreeError,
    },
    /// A statement without the data commitments of both heads.
    #[error("found {found} elements of data commitments in a statement, expected 8")]
    Commitments {
        /// How many there are.
        found: usize,
    },
    /// A circuit cannot be verified in a circuit.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// A circuit could not be proven.
    #[error("the {circuit} circuit cannot be proven: {error}")]
    Prove {
        /// Which one.
        circuit: &'static str,
        /// What is in the way.
        error: PlonkError,
    },
}

/// What makes settlement proofs of validity proofs under one key.
#[derive(Debug)]
pub struct SettlementProver {
    /// The key of the validity proofs.
    pub last: VerificationKey,
    /// The key of the proofs of data.
    pub data: VerifierKey,
    /// The circuit over both.
    pub joint: JointCircuit,
    /// The circuit over that.
    pub narrow: NarrowCircuit,
    /// The circuit over that, whose proofs are the settlement proofs.
    pub outer: OuterCircuit,
}

impl SettlementProver {
    /// Builds all circuits.
    ///
    /// # Errors
    /// If one does not fit the rows of the key's profile.
    pub fn build(last: VerificationKey, data: VerifierKey) -> Result<Self, SettlementError> {
        let profile = last.profile;
        let joint = JointCircuit::build(&last, &data)?;
        let narrow = NarrowCircuit::narrow(profile, joint.key())?;
        let outer = OuterCircuit::outer(profile, narrow.key())?;
        Ok(Self {
            last,
            data,
            joint,
            narrow,
            outer,
        })
    }

    /// Returns the key of the proofs.
    #[must_use]
    pub fn key(&self) -> SettlementKey {
        SettlementKey::new(self.last.profile, self.outer.key().clone())
    }

    /// Proves what a validity proof states and what its data are at a point. Both proofs are verified
    /// first.
    ///
    /// # Errors
    /// If one of them is refused, or the data are those of another batch.
    pub fn prove(
        &self,
        proof: &ValidityProof,
        data: &PlonkProof,
    ) -> Result<SettlementProof, SettlementError> {
        let last = &self.last;
        let validity = decode_proof(proof.proof(), &last.common).map_err(VerifyError::from)?;
        verify_plonk(&last.key, &last.common, last.grinding(), &validity)
            .map_err(VerifyError::from)?;
        let profile = last.profile;
        let (common, grinding) = form_of_data(profile);
        verify_plonk(&self.data, &common, grinding, data).map_err(SettlementError::Data)?;
        let failed = |circuit| move |error| SettlementError::Prove { circuit, error };
        let joint = self
            .joint
            .witness(&validity, data)
            .and_then(|witness| prove(&self.joint.circuit, profile.joint().grinding, witness));
        let joint = joint.map_err(failed("joint"))?;
        let narrow = self
            .narrow
            .witness(&joint)
            .and_then(|witness| prove(&self.narrow.circuit, profile.narrow().grinding, witness));
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
    /// The public inputs are no settlement. No proof of the key's shape is known to do this.
    #[error("the settlement proof's public inputs are no settlement")]
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
) -> Result<Settlement, SettlementVerifyError> {
    let outer = wire::decode(&proof.bytes, &key.common)?;
    verify_keccak(&key.key, &key.common, key.grinding(), &outer)?;
    settlement_from_plonk(outer.public_inputs()).ok_or(SettlementVerifyError::Statement)
}
