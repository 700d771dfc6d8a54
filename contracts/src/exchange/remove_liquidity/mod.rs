#![doc = include_str!("README.md")]

mod body;
mod rule;

pub use body::RemoveLiquidity;
pub use rule::RemoveLiquidityLaw;
