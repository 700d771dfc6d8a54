#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Exit;
pub use rule::ExitLaw;
