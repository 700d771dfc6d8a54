//! One child of an aggregation or of the last circuit: which key it verifies under, and that it
//! does.

use plonky2::hash::hash_types::{HashOutTarget, MerkleCapTarget};
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use plonky2::plonk::circuit_data::VerifierCircuitTarget;
use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_recursion::plonk::{
    Builder, PlonkError, PlonkField, PlonkProofTarget, add_virtual_plonk_proof,
    set_plonk_proof_target, verify_plonk_proof,
};
use shardfold_recursion::tree::TreeError;

use super::AggregationCircuitError;
use crate::tree::{Child, Origin, TreeForm};

/// The targets of one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildTargets {
    pub(crate) proof: PlonkProofTarget,
    /// One-hot: the leaf keys in order, then the aggregation key.
    pub(crate) choice: Vec<BoolTarget>,
}

impl ChildTargets {
    /// Adds a child, and rules 1 to 4 of the [module above](super).
    ///
    /// # Errors
    /// If the common data have other public inputs than a statement and a key slot, or are of
    /// circuits that cannot be verified.
    pub(crate) fn add(
        builder: &mut Builder,
        form: &TreeForm,
        leaf_keys: &[Vec<PlonkField>],
        aggregation_key: &[Target],
    ) -> Result<Self, AggregationCircuitError> {
        let proof = add_virtual_plonk_proof(builder, &form.common);

        // 1. One-hot choice.
        let mut choice: Vec<BoolTarget> = leaf_keys
            .iter()
            .map(|_| builder.add_virtual_bool_target_safe())
            .collect();
        let is_aggregation = builder.add_virtual_bool_target_safe();
        choice.push(is_aggregation);
        let sum = builder.add_many(choice.iter().map(|bit| bit.target));
        builder.assert_one(sum);

        // 2. The key is the chosen one.
        let elements: Vec<Target> = aggregation_key
            .iter()
            .enumerate()
            .map(|(i, &element)| {
                let own_part = builder.mul(is_aggregation.target, element);
                // All keys have the same number of elements.
                let leaf_elements = leaf_keys.iter().filter_map(|key| key.get(i));
                leaf_elements
                    .zip(&choice)
                    .fold(own_part, |sum, (&element, bit)| {
                        let constant = builder.constant(element);
                        builder.mul_add(bit.target, constant, sum)
                    })
            })
            .collect();
        let other = TreeError::PublicInputs {
            found: form.common.num_public_inputs,
            expected: STATEMENT_ELEMENTS,
        };
        let (Some(key), Some(slot)) = (
            unflatten_key_target(&elements),
            proof.plonky2.public_inputs.get(STATEMENT_ELEMENTS..),
        ) else {
            return Err(other.into());
        };

        // 3. The proof verifies under it.
        verify_plonk_proof(builder, &proof, &key, &form.common, form.grinding)?;

        // 4. An aggregation states the aggregation key.
        for (&theirs, &expected) in slot.iter().zip(aggregation_key) {
            builder.conditional_assert_eq(is_aggregation.target, theirs, expected);
        }
        Ok(Self { proof, choice })
    }

    /// Sets the child.
    pub(crate) fn set(
        &self,
        witness: &mut PartialWitness<PlonkField>,
        child: &Child<'_>,
    ) -> Result<(), PlonkError> {
        let leaves = self.choice.len().saturating_sub(1);
        let chosen = match child.origin {
            Origin::Leaf(key) => key,
            Origin::Aggregation => leaves,
        };
        for (key, &bit) in self.choice.iter().enumerate() {
            witness
                .set_bool_target(bit, key == chosen)
                .map_err(PlonkError)?;
        }
        set_plonk_proof_target(witness, &self.proof, child.proof)
    }

    /// The public inputs of the child's proof.
    pub(crate) fn public_inputs(&self) -> &[Target] {
        &self.proof.plonky2.public_inputs
    }
}

/// A key's targets in the order of the public inputs.
pub(super) fn flatten_key_target(key: &VerifierCircuitTarget) -> Vec<Target> {
    let cap = key
        .constants_sigmas_cap
        .0
        .iter()
        .flat_map(|hash| hash.elements);
    key.circuit_digest.elements.into_iter().chain(cap).collect()
}

/// The inverse of [`flatten_key_target`].
fn unflatten_key_target(elements: &[Target]) -> Option<VerifierCircuitTarget> {
    let mut hashes = elements
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&elements| HashOutTarget { elements });
    Some(VerifierCircuitTarget {
        circuit_digest: hashes.next()?,
        constants_sigmas_cap: MerkleCapTarget(hashes.collect()),
    })
}
