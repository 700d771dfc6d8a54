#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::CreatePool;
pub use rule::CreatePoolLaw;
