//! Why proofs could not be aggregated.

use shardfold_recursion::plonk::{PlonkError, PlonkVerifyError, UnsupportedCircuit};
use shardfold_recursion::tree::TreeError;

/// Why the aggregation circuit could not be built, or an aggregation not be proven.
#[derive(Debug, thiserror::Error)]
pub enum AggregationCircuitError {
    /// The circuit does not belong to the tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The tree's proofs are of a kind that the verifier circuit does not know.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedCircuit),
    /// A leaf key's cap has another height than the common data say.
    #[error("leaf key {key} has {found} elements, expected {expected}")]
    LeafKey {
        /// Position among the leaf keys.
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
    InvalidChild {
        /// Position of the child.
        slot: usize,
        /// Why it is refused.
        source: PlonkVerifyError,
    },
    /// A child that claims to be an aggregation states another key.
    #[error(
        "child {slot} is not a valid proof under the key that it claims: the key slot does not hold the aggregation key"
    )]
    KeySlot {
        /// Position of the child.
        slot: usize,
    },
    /// The children do not satisfy the aggregation's constraints.
    #[error("the children cannot be aggregated: {0}")]
    Prove(#[source] PlonkError),
}
