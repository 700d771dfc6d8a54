//! What the proofs of one tree are verified against.

use shardfold_protocol::head::STATEMENT_ELEMENTS;
use shardfold_recursion::plonk::{
    CommonData, Grinding, PlonkField, PlonkParameters, PlonkProof, PlonkVerifyError, VerifierKey,
    verify as verify_plonk,
};
use shardfold_recursion::tree::{common_data, gate_set};

/// Where a proof of the tree comes from: which key it verifies under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// A shard proof under the leaf key at this position.
    Leaf(usize),
    /// An aggregation.
    Aggregation,
}

/// A proof to be aggregated.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// The key that it verifies under.
    pub origin: Origin,
    /// The proof.
    pub proof: &'a PlonkProof,
}

/// Why a proof is none of the tree.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// A child names a leaf key that does not exist.
    #[error("child {slot} claims leaf key {key}, there are {keys}")]
    NoSuchKey {
        /// Position of the child.
        slot: usize,
        /// Position among the leaf keys that the child claims.
        key: usize,
        /// How many leaf keys there are.
        keys: usize,
    },
    /// A child's proof does not verify under the key that it claims.
    #[error("child {slot} is not a valid proof under the key that it claims: {source}")]
    Invalid {
        /// Position of the child.
        slot: usize,
        /// Why the verifier refuses the proof.
        source: PlonkVerifyError,
    },
    /// An aggregation's key slot does not hold the aggregation key.
    #[error("child {slot} is an aggregation of another tree: its key slot does not hold our key")]
    OtherTree {
        /// Position of the child.
        slot: usize,
    },
}

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

    /// Returns whether proofs of the tree are made with these parameters, whatever its rows and gates.
    #[must_use]
    pub fn is_of(&self, parameters: &PlonkParameters) -> bool {
        self.grinding == parameters.grinding && self.common.config == parameters.circuit_config()
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
    pub fn check(&self, slot: usize, child: &Child<'_>) -> Result<(), ChildError> {
        let key = match child.origin {
            Origin::Aggregation if !states_key(child.proof, &self.aggregation) => {
                return Err(ChildError::OtherTree { slot });
            }
            Origin::Aggregation => &self.aggregation,
            Origin::Leaf(key) => self.leaves.get(key).ok_or(ChildError::NoSuchKey {
                slot,
                key,
                keys: self.leaves.len(),
            })?,
        };
        let TreeForm { common, grinding } = &self.form;
        verify_plonk(key, common, *grinding, child.proof)
            .map_err(|source| ChildError::Invalid { slot, source })
    }
}

/// Returns a key as public inputs: digest, then the cap's digests.
#[must_use]
pub fn flatten_key(key: &VerifierKey) -> Vec<PlonkField> {
    let cap = key
        .constants_sigmas_cap
        .0
        .iter()
        .flat_map(|hash| hash.elements);
    key.circuit_digest.elements.into_iter().chain(cap).collect()
}

/// Returns whether the key slot of this proof holds `key`, digest and cap.
#[must_use]
pub fn states_key(proof: &PlonkProof, key: &VerifierKey) -> bool {
    proof.public_inputs().get(STATEMENT_ELEMENTS..) == Some(flatten_key(key).as_slice())
}
