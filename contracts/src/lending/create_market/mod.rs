#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::CreateMarket;
pub use rule::{CreateMarketLaw, reasons};
