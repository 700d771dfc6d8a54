//! Runs batches: which transactions are valid, what they change, and the shards to prove.
//!
//! [`sequential`] is the definition; [`parallel`] gives the same results faster. [`shards`]
//! cuts what was accepted into pieces that are proven one by one.

pub mod outcome;
pub mod parallel;
pub mod prepare;
pub mod receipts;
pub mod reexecute;
pub mod sequential;
pub mod shards;
pub mod validate;
pub mod workload;

#[cfg(test)]
mod tests;
