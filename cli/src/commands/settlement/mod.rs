//! Settlement proofs: `wrap` makes one of a validity proof, `verify` checks one.

mod verify;
mod wrap;

pub use verify::{built_in_keys, verify};
pub use wrap::run as wrap;
