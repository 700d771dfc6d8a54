//! A circuit that verifies one proof and states what that proof states.
//!
//! # Constraints
//!
//! 1. The proof verifies under the key, which is a constant of the circuit.
//! 2. We state what it states: all public inputs, and no other.

use plonky2::hash::hash_types::HashOutTarget;
use plonky2::iop::witness::PartialWitness;
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use plonky2::util::serialization::{Buffer, Read as _, Write as _};
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, KeccakConfig, PlonkConfig, PlonkError, PlonkField,
    PlonkProof, PlonkProofTarget, Trees, VerifierKey, add_virtual_plonk_proof,
    set_plonk_proof_target, verify_plonk_proof,
};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::serializers::{Cached, Gates, Generators, checked_digest};
use shardfold_recursion::tree::{finish, joint_common_data, narrow_common_data, outer_common_data};

use super::SettlementError;
use crate::circuit::disk::{read_proof, write_proof};

/// The narrow circuit: few queries, so that the outer circuit has few rows.
pub type NarrowCircuit = Restating<PlonkConfig>;
/// The outer circuit, whose trees are Keccak's.
pub type OuterCircuit = Restating<KeccakConfig>;

impl NarrowCircuit {
    /// Builds the circuit for proofs of the joint circuit of a profile.
    ///
    /// # Errors
    /// If it does not fit the rows of the profile.
    pub fn narrow(profile: Profile, joint: &VerifierKey) -> Result<Self, SettlementError> {
        let child = (joint, &joint_common_data(profile), profile.joint().grinding);
        Self::build("narrow", child, &narrow_common_data(profile))
    }
}

impl OuterCircuit {
    /// Builds the circuit for proofs of the narrow circuit of a profile.
    ///
    /// # Errors
    /// If it does not fit the rows of the profile.
    pub fn outer(profile: Profile, narrow: &VerifierKey) -> Result<Self, SettlementError> {
        let child = (
            narrow,
            &narrow_common_data(profile),
            profile.narrow().grinding,
        );
        Self::build("outer", child, &outer_common_data(profile))
    }
}

/// Such a circuit, whose own proof has trees of the hash `C`.
#[derive(Debug)]
pub struct Restating<C: Trees> {
    /// The circuit, built.
    pub(crate) circuit: Circuit<C>,
    child: PlonkProofTarget,
}

impl<C: Trees> Restating<C> {
    /// Builds the circuit over `common` for proofs of a child: its key, common data and grinding.
    ///
    /// # Errors
    /// If it does not fit, or the child cannot be verified in a circuit.
    pub(crate) fn build(
        name: &'static str,
        (key, child_common, grinding): (&VerifierKey, &CommonData, Grinding),
        common: &CommonData,
    ) -> Result<Self, SettlementError> {
        let mut builder = Builder::new(common.config.clone());
        let child = add_virtual_plonk_proof(&mut builder, child_common);
        // 1. The proof verifies under the key.
        let key = constant_key(&mut builder, key);
        verify_plonk_proof(&mut builder, &child, &key, child_common, grinding)?;
        // 2. We state what it states.
        builder.register_public_inputs(&child.plonky2.public_inputs);
        let circuit = finish::<C>(builder, common).map_err(|error| SettlementError::Circuit {
            circuit: name,
            error,
        })?;
        Ok(Self { circuit, child })
    }

    /// Returns the circuit's own key.
    pub fn key(&self) -> &VerifierKey<C> {
        &self.circuit.verifier_only
    }

    /// Returns the inputs of the circuit for a proof that the native verifier has accepted.
    pub fn witness(&self, child: &PlonkProof) -> Result<PartialWitness<PlonkField>, PlonkError> {
        let mut witness = PartialWitness::new();
        set_plonk_proof_target(&mut witness, &self.child, child)?;
        Ok(witness)
    }
}

impl<C: Trees> Cached for Restating<C> {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write_proof(&self.child, &mut bytes).ok()?;
        let written = bytes.write_circuit_data(&self.circuit, &Gates, &Generators);
        written.is_ok().then_some(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Buffer::new(bytes);
        Some(Self {
            child: read_proof(&mut bytes).ok()?,
            circuit: bytes.read_circuit_data(&Gates, &Generators).ok()?,
        })
    }

    fn digest(&self) -> Option<[u8; 32]> {
        checked_digest(&self.circuit)
    }
}

/// A key as constants.
pub(super) fn constant_key(builder: &mut Builder, key: &VerifierKey) -> VerifierCircuitTarget {
    let mut hash = |elements: [PlonkField; 4]| HashOutTarget {
        elements: elements.map(|element| builder.constant(element)),
    };
    let circuit_digest = hash(key.circuit_digest.elements);
    let cap = key.constants_sigmas_cap.0.iter();
    let cap = cap.map(|root| hash(root.elements)).collect();
    VerifierCircuitTarget {
        circuit_digest,
        constants_sigmas_cap: plonky2::hash::hash_types::MerkleCapTarget(cap),
    }
}
