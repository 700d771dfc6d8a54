#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::{SwapIn, SwapOut};
pub use rule::{SwapInLaw, SwapOutLaw};

/// The most pools of a path.
pub const MAX_POOLS: usize = 3;
