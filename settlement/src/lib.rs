//! The settlement contract of an EVM chain, and how what it takes is written.
//!
//! The contract itself is Solidity, in `evm/`; its compiled form is checked in, so neither this
//! crate nor its tests need a compiler or a network.

pub mod artefact;
pub mod batch;
pub mod data;
pub mod deployed;
pub mod encoding;
pub mod escape;
pub mod events;
pub mod interface;
pub mod leaving;
pub mod published;
pub mod queue;
pub mod verifier;
pub mod withdrawals;
