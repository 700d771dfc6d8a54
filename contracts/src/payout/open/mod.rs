#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Payout;
pub use rule::PayoutLaw;
