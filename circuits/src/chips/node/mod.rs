#![doc = include_str!("README.md")]

mod air;
mod columns;
#[cfg(test)]
pub(crate) mod tests;
mod trace;

use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::Index;

pub use air::NodeChip;
pub use columns::NodeColumns;
pub use trace::generate;

/// Levels of inner nodes: the root is at this level, leaves are at level 0.
pub const DEPTH: usize = 32;

/// A node of the state tree that the shard touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouchedNode {
    /// Its position within its level.
    pub index: Index,
    /// Its digest before the shard.
    pub old: Digest,
    /// Its digest after the shard.
    pub new: Digest,
}
