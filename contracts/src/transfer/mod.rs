#![doc = include_str!("README.md")]

mod rule;

pub use rule::Transfer;
