#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Post;
pub use rule::PostLaw;
