//! Why proofs could not be aggregated.

use shardfold_recursion::plonk::{PlonkError, UnsupportedCircuit};
use shardfold_recursion::tree::TreeError;

use crate::tree::ChildError;

/// Why the aggregation circuit could not be built, or an aggregation not be proven.
#[derive(Debug, thiserror::Error)]
pub enum AggregationCircuitError {
    /// The circuit does not belong to the tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The tree's circuits cannot be verified in a circuit.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// The tree has other parameters than the profile of its last circuit.
    #[error("the tree has other parameters than the profile {profile}")]
    OtherProfile {
        /// Name of the profile.
        profile: &'static str,
    },
    /// A key's cap has another height than the common data say.
    #[error("key {key} has {found} elements, expected {expected}")]
    Key {
        /// Position among the keys that were given.
        key: usize,
        /// Elements found.
        found: usize,
        /// Elements expected.
        expected: usize,
    },
    /// An aggregation circuit needs a leaf and a child slot.
    #[error("an aggregation circuit needs at least one leaf key and one child slot")]
    Empty,
    /// More children than slots, or none.
    #[error("{found} children given, an aggregation takes 1 to {arity}")]
    Children {
        /// Children given.
        found: usize,
        /// Slots of the aggregation.
        arity: usize,
    },
    /// A child is no proof of the tree.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The children do not satisfy the aggregation's constraints.
    #[error("the children cannot be aggregated: {0}")]
    Prove(#[source] PlonkError),
}
