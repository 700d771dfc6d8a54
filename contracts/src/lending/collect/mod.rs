#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Collect;
pub use rule::{CollectLaw, reasons};
