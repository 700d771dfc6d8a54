//! What the proofs of one tree are verified against.

use shardfold_recursion::plonk::{
    CommonData, Grinding, PlonkParameters, VerifierKey, verify as verify_plonk,
};
use shardfold_recursion::tree::{common_data, gate_set};

use crate::circuit::{AggregationCircuitError, Child, Origin, states_key};

/// What all circuits of a tree but the last share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeForm {
    /// Degree, gates and configuration.
    pub common: CommonData,
    /// Grinding before the challenges where plonky2 itself has none.
    pub grinding: Grinding,
}

impl TreeForm {
    /// Returns the form of a tree of circuits of `2^degree_bits` rows with the system's gates.
    #[must_use]
    pub fn new(parameters: &PlonkParameters, degree_bits: usize) -> Self {
        Self {
            common: common_data(parameters, degree_bits, &gate_set(parameters)),
            grinding: parameters.grinding,
        }
    }
}

/// The keys of a tree, each a constant of the last circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeKeys {
    /// What the circuits share.
    pub form: TreeForm,
    /// The keys of the shard circuits.
    pub leaves: Vec<VerifierKey>,
    /// The key of the aggregation circuit, which the key slot of every aggregation states.
    pub aggregation: VerifierKey,
}

impl TreeKeys {
    /// Verifies one proof of the tree under the key of its origin; an aggregation's key slot must
    /// hold the aggregation key.
    ///
    /// # Errors
    /// If the key does not exist or the proof does not verify; `slot` names it in the error.
    pub fn check(&self, slot: usize, child: &Child<'_>) -> Result<(), AggregationCircuitError> {
        let key = match child.origin {
            Origin::Aggregation if !states_key(child.proof, &self.aggregation) => {
                return Err(AggregationCircuitError::OtherTree { slot });
            }
            Origin::Aggregation => &self.aggregation,
            Origin::Leaf(key) => {
                self.leaves
                    .get(key)
                    .ok_or(AggregationCircuitError::NoSuchKey {
                        slot,
                        key,
                        keys: self.leaves.len(),
                    })?
            }
        };
        let TreeForm { common, grinding } = &self.form;
        verify_plonk(key, common, *grinding, child.proof)
            .map_err(|source| AggregationCircuitError::InvalidChild { slot, source })
    }
}
