#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Accrue;
pub use rule::{AccrueLaw, reasons};
