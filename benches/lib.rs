//! Shared by the benchmarks and the report.

pub mod machine;
pub mod outline;
pub mod permutations;
pub mod reference;
pub mod run;
pub mod simulation;
pub mod workload;

pub use permutations::PermutationStark;
pub use reference::Reference;
