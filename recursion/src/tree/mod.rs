//! What all proofs of one tree share, so that one circuit can verify any of them: the
//! [common data](common_data), the [gates](gate_set), and the public inputs.
//!
//! | elements | meaning |
//! | --- | --- |
//! | 0 | chain id |
//! | 1..25 | head before |
//! | 25..49 | head after |
//! | 49..53 | key slot: circuit digest |
//! | 53.. | key slot: cap of the preprocessed polynomials |
// The verifier's path runs through here.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod common;
mod gates;

pub use common::{
    common_data, data_common_data, finish, finish_leaf, joint_common_data, key_elements,
    last_common_data, narrow_common_data, outer_common_data,
};
pub use gates::gate_set;

/// Why a circuit cannot be part of the tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
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
        /// Public inputs that the circuit registers.
        found: usize,
        /// Elements of a statement and a key slot.
        expected: usize,
    },
    /// The circuit uses gates that the common gate set lacks.
    #[error("the circuit uses gates outside the common gate set: {gates:?}")]
    ForeignGates {
        /// plonky2's ids of these gates.
        gates: Vec<String>,
    },
    /// The circuit was built with another configuration.
    #[error("the circuit's configuration is not that of the tree")]
    CommonData,
}
