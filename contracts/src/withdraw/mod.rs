#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Withdraw;
pub use rule::WithdrawLaw;
