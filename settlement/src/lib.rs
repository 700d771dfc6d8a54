//! The settlement contract of an EVM chain: what was compiled, and what it hashes.
//!
//! The contract itself is Solidity, in `evm/`; its compiled form is checked in, so neither this
//! crate nor its tests need a compiler or a network.

pub mod artefact;
