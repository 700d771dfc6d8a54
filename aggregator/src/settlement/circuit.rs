//! A circuit that verifies one proof and states what that proof states.
//!
//! # Constraints
//!
//! 1. The proof verifies under the key, which is a constant of the circuit.
//! 2. We state what it states: all public inputs, and no other.

use plonky2::hash::hash_types::HashOutTarget;
use plonky2::iop::witness::PartialWitness;
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_recursion::plonk::{
    Builder, Circuit, CommonData, Grinding, PlonkError, PlonkField, PlonkProof, PlonkProofTarget,
    Trees, VerifierKey, add_virtual_plonk_proof, set_plonk_proof_target, verify_plonk_proof,
};
use shardfold_recursion::tree::finish;

use super::SettlementError;

/// Such a circuit, whose own proof has trees of the hash `C`.
#[derive(Debug)]
pub struct Restating<C: Trees> {
    /// The circuit, built.
    pub circuit: Circuit<C>,
    child: PlonkProofTarget,
}

impl<C: Trees> Restating<C> {
    /// Builds the circuit over `common` for proofs of a child's key, common data and grinding.
    ///
    /// # Errors
    /// If it does not fit, or the child cannot be verified in a circuit.
    pub fn build(
        name: &'static str,
        key: &VerifierKey,
        child_common: &CommonData,
        grinding: Grinding,
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

/// A key as constants.
fn constant_key(builder: &mut Builder, key: &VerifierKey) -> VerifierCircuitTarget {
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
