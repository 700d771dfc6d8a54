#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Pay;
pub use rule::{MAX_PAID, PayLaw};
