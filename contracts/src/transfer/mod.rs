#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Transfer;
pub use rule::TransferLaw;
