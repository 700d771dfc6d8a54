#![doc = include_str!("README.md")]

pub mod add_liquidity;
pub mod create_pool;
mod pool;
pub mod remove_liquidity;
pub mod swap;

pub use add_liquidity::{AddLiquidity, AddLiquidityLaw};
pub use create_pool::{CreatePool, CreatePoolLaw};
pub use pool::{MAX_FEE, MIN_SHARES, Pool, WHOLE, quote_in, quote_out, reasons};
pub use remove_liquidity::{RemoveLiquidity, RemoveLiquidityLaw};
pub use swap::{SwapIn, SwapInLaw, SwapOut, SwapOutLaw};

use crate::set::{Contracts, SetError};

/// Adds the contracts of the exchange to a list.
///
/// # Errors
/// As [`Contracts::with`].
pub fn with_exchange(list: Contracts) -> Result<Contracts, SetError> {
    list.with(CreatePoolLaw)?
        .with(AddLiquidityLaw)?
        .with(RemoveLiquidityLaw)?
        .with(SwapInLaw)?
        .with(SwapOutLaw)
}

#[cfg(test)]
mod tests;
