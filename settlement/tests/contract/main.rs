//! The settlement contract on a chain in memory, with states, batches and heads of the real executor.

#[path = "../common/mod.rs"]
mod common;

mod aliases;
mod change;
mod circle;
mod claims;
mod conservation;
mod create;
mod data;
mod defi;
mod freeze;
mod gas;
mod groups;
mod leaving;
mod poseidon2;
mod published;
mod queue;
mod reclaim;
mod scene;
mod settle;
mod tokens;
mod unwind;
mod verifiers;
mod walkaway;
