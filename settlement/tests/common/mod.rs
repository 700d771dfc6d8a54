//! What the tests of contracts share: a chain in memory.

pub mod chain;
