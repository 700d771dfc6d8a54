//! Contracts for tests only: they show primitives that no contract of the standard list uses.

pub mod pool;
