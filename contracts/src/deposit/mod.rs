#![doc = include_str!("README.md")]

mod rule;

pub use rule::{BASE_ASSET, Deposit, QUEUE_ORDER};
