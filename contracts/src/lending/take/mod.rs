#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Take;
pub use rule::TakeLaw;
