//! The joint circuit: a validity proof and a proof of its data, as one settlement.
//!
//! # Constraints
//!
//! 1. The validity proof verifies under the last key, a constant.
//! 2. The proof of data verifies under the data key, a constant.
//! 3. The data lead from the data commitment of the head before to that of the head after.
//! 4. We state what the validity proof states, then point and value of the data.

use plonky2::iop::target::Target;
use plonky2::iop::witness::PartialWitness;
use plonky2::util::serialization::{Buffer, IoResult, Read as _, Write as _};
use shardfold_protocol::head::{DATA_ELEMENTS, HEAD_ELEMENTS};
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, PlonkError, PlonkField, PlonkProof, PlonkProofTarget,
    VerifierKey, add_virtual_plonk_proof, set_plonk_proof_target, verify_plonk_proof,
};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::serializers::{Cached, Gates, Generators, checked_digest};
use shardfold_recursion::tree::{data_common_data, finish, joint_common_data};

use super::SettlementError;
use super::circuit::constant_key;
use crate::VerificationKey;
use crate::circuit::disk::{read_proof, write_proof};

/// Elements of a commitment.
const DIGEST_ELEMENTS: usize = 4;

/// The joint circuit, built.
#[derive(Debug)]
pub struct JointCircuit {
    pub(crate) circuit: Circuit,
    validity: PlonkProofTarget,
    data: PlonkProofTarget,
}

impl JointCircuit {
    /// Builds the circuit for validity proofs and proofs of data under these keys; the data circuit
    /// is that of the validity proofs' profile.
    ///
    /// # Errors
    /// If it does not fit the rows of its profile.
    pub fn build(last: &VerificationKey, data: &VerifierKey) -> Result<Self, SettlementError> {
        let common = joint_common_data(last.profile);
        let mut builder = Builder::new(common.config.clone());
        // 1. The validity proof verifies.
        let validity = add_virtual_plonk_proof(&mut builder, &last.common);
        let key = constant_key(&mut builder, &last.key);
        verify_plonk_proof(&mut builder, &validity, &key, &last.common, last.grinding())?;
        // 2. The proof of data verifies.
        let (common_of_data, grinding) = form_of_data(last.profile);
        let of_data = add_virtual_plonk_proof(&mut builder, &common_of_data);
        let key = constant_key(&mut builder, data);
        verify_plonk_proof(&mut builder, &of_data, &key, &common_of_data, grinding)?;
        let statement = &validity.plonky2.public_inputs;
        let of_data_states = &of_data.plonky2.public_inputs;
        let (ends, evaluation) = of_data_states.split_at(2 * DIGEST_ELEMENTS);
        // 3. They are of one batch.
        let ours = commitments(statement);
        if ours.len() != ends.len() {
            return Err(SettlementError::Commitments { found: ours.len() });
        }
        for (&theirs, ours) in ends.iter().zip(ours) {
            builder.connect(theirs, ours);
        }
        // 4. We state both.
        builder.register_public_inputs(statement);
        builder.register_public_inputs(evaluation);
        let circuit = finish(builder, &common).map_err(|error| SettlementError::Circuit {
            circuit: "joint",
            error,
        })?;
        Ok(Self {
            circuit,
            validity,
            data: of_data,
        })
    }

    /// Returns the circuit's own key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.circuit.verifier_only
    }

    /// Returns the inputs of the circuit for proofs that the native verifier has accepted.
    pub(crate) fn witness(
        &self,
        validity: &PlonkProof,
        data: &PlonkProof,
    ) -> Result<PartialWitness<PlonkField>, PlonkError> {
        let mut witness = PartialWitness::new();
        set_plonk_proof_target(&mut witness, &self.validity, validity)?;
        set_plonk_proof_target(&mut witness, &self.data, data)?;
        Ok(witness)
    }
}

/// What the proofs of data of a profile look like.
pub(super) fn form_of_data(profile: Profile) -> (CommonData, Grinding) {
    (data_common_data(profile), profile.plonk().grinding)
}

/// The data commitments of both heads of a statement.
fn commitments(statement: &[Target]) -> Vec<Target> {
    let heads = statement.get(1..).unwrap_or_default();
    let heads = heads.chunks_exact(HEAD_ELEMENTS);
    let of_head = |head| <[Target]>::get(head, DATA_ELEMENTS).unwrap_or_default();
    heads.flat_map(of_head).copied().collect()
}

impl Cached for JointCircuit {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).ok()?;
        Some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Buffer::new(bytes)).ok()
    }

    fn digest(&self) -> Option<[u8; 32]> {
        checked_digest(&self.circuit)
    }
}

impl JointCircuit {
    fn write(&self, bytes: &mut Vec<u8>) -> IoResult<()> {
        write_proof(&self.validity, bytes)?;
        write_proof(&self.data, bytes)?;
        bytes.write_circuit_data(&self.circuit, &Gates, &Generators)
    }

    fn read(bytes: &mut Buffer<'_>) -> IoResult<Self> {
        Ok(Self {
            validity: read_proof(bytes)?,
            data: read_proof(bytes)?,
            circuit: bytes.read_circuit_data(&Gates, &Generators)?,
        })
    }
}
