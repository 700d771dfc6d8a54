//! The cyclic fold: one circuit that joins the statements of a few neighbouring proofs, each a
//! shard proof (a *leaf*) or itself a fold, so that one key serves trees of any size and form.
//!
//! Every proof of a tree has the same [common data](common) and the same public inputs:
//!
//! | elements | meaning |
//! | --- | --- |
//! | 0 | chain id |
//! | 1..19 | head before |
//! | 19..37 | head after |
//! | 37..41 | key slot: circuit digest |
//! | 41.. | key slot: cap of the preprocessed polynomials |
//!
//! A fold's slot states the key of the fold circuit itself, which no circuit can hold as a
//! constant. That a slot tells the truth is checked by whoever verifies the *root* outside:
//! a root that was verified under the fold key and whose slot holds the fold key has only
//! children that were verified under an allowed leaf key, or under the fold key with the fold
//! key in their slot; and so on down to the leaves. [`circuit`] lists the constraints.

pub mod circuit;
pub mod common;
mod disk;
pub mod gates;
pub mod wire;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use circuit::{ARITY, Child, FoldCircuit, Origin};
pub use common::{common_data, common_degree_bits, finish_leaf, fold_rows};
pub use gates::gate_set;
pub use wire::{WireError, decode_proof, encode_proof, proof_bytes};

/// Why a circuit of the tree could not be built, or a fold not be proven.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The circuit does not fit the common data's degree.
    #[error(
        "the circuit has {rows} rows before public inputs and constants, which together do not fit {capacity}"
    )]
    TooManyRows {
        /// Rows before public inputs, constants and padding.
        rows: usize,
        /// Rows that the common data provide.
        capacity: usize,
    },
    /// The circuit registers other public inputs than a statement and a key slot.
    #[error("the circuit has {found} public inputs, the tree expects {expected}")]
    PublicInputs {
        /// How many are registered.
        found: usize,
        /// How many a statement and a key slot are.
        expected: usize,
    },
    /// The circuit uses gates that the common gate set lacks.
    #[error("the circuit uses gates outside the common gate set: {gates:?}")]
    ForeignGates {
        /// Their plonky2 ids.
        gates: Vec<String>,
    },
    /// The circuit was built with another configuration.
    #[error("the circuit's configuration is not that of the tree")]
    CommonData,
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
    /// A fold circuit needs a leaf and a child slot.
    #[error("a fold circuit needs at least one leaf key and one child slot")]
    Empty,
    /// More children than slots, or none.
    #[error("{found} children given, a fold takes 1 to {arity}")]
    Children {
        /// Children given.
        found: usize,
        /// Slots of the fold.
        arity: usize,
    },
    /// A child names a leaf key that does not exist.
    #[error("child {slot} claims leaf key {key}, there are {keys}")]
    NoSuchKey {
        /// Position of the child.
        slot: usize,
        /// The claimed key.
        key: usize,
        /// How many leaf keys there are.
        keys: usize,
    },
    /// A child's proof does not verify under the key that it claims.
    #[error("child {slot} is not a valid proof under the key that it claims: {source}")]
    InvalidChild {
        /// Position of the child.
        slot: usize,
        /// plonky2's reason.
        source: PlonkError,
    },
    /// The children do not satisfy the fold's constraints.
    #[error("the children cannot be folded: {0}")]
    Prove(#[source] PlonkError),
}

/// What plonky2 says when it refuses.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct PlonkError(pub anyhow::Error);
