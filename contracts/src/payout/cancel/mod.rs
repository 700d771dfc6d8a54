#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::CancelPayout;
pub use rule::CancelPayoutLaw;
