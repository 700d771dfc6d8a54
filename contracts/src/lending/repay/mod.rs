#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Repay;
pub use rule::{RepayLaw, reasons};
