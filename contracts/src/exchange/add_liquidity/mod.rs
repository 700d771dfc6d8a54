#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::AddLiquidity;
pub use rule::AddLiquidityLaw;
