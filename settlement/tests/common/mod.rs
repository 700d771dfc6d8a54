//! What the tests of contracts share: a chain in memory, and a ledger that it settles.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod batch;
pub mod chain;
pub mod world;
