#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Price;
pub use rule::{PriceLaw, reasons};
