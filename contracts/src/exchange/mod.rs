#![doc = include_str!("README.md")]

pub mod add_liquidity;
pub mod create_pool;
mod pool;
pub mod remove_liquidity;
pub mod route;
pub mod swap;

pub use add_liquidity::{AddLiquidity, AddLiquidityLaw};
pub use create_pool::{CreatePool, CreatePoolLaw};
pub use pool::{MAX_FEE, MIN_SHARES, Pool, WHOLE, quote_in, quote_out, reasons};
pub use remove_liquidity::{RemoveLiquidity, RemoveLiquidityLaw};
pub use swap::{SwapIn, SwapInLaw, SwapOut, SwapOutLaw};

#[cfg(test)]
mod tests;
