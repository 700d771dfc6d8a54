#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::Borrow;
pub use rule::BorrowLaw;
