#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Supply;
pub use rule::{SupplyLaw, reasons};
