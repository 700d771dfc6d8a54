#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Liquidate;
pub use rule::{LiquidateLaw, reasons};
