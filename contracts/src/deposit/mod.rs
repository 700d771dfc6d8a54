#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Deposit;
pub use rule::{BASE_ASSET, DepositLaw, QUEUE_ORDER};
