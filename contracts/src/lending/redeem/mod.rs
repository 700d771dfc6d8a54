#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Redeem;
pub use rule::{RedeemLaw, reasons};
