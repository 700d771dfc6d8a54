#![doc = include_str!("README.md")]

pub mod accrue;
pub mod borrow;
pub mod collect;
pub mod create_market;
pub mod liquidate;
pub mod post;
pub mod price;
pub mod redeem;
pub mod repay;
pub mod supply;
pub mod take;

mod health;
mod market;
mod position;
mod rates;
pub mod reasons;
mod signing;
mod terms;
#[cfg(test)]
mod tests;

pub use accrue::Accrue;
pub use borrow::Borrow;
pub use collect::Collect;
pub use create_market::CreateMarket;
pub use liquidate::Liquidate;
pub use post::Post;
pub use price::Price;
pub use rates::Rates;
pub use redeem::Redeem;
pub use repay::Repay;
pub use signing::Signer;
pub use supply::Supply;
pub use take::Take;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::Index;

use crate::machine::Machine;

/// Parts of one million: how ratios are counted.
pub const PPM: u64 = 1_000_000;
/// Shares that a market has beside those that somebody holds.
pub const VIRTUAL_SHARES: u64 = 1_024;
/// Units of an asset that a market has beside those that were supplied.
pub const VIRTUAL_ASSETS: u64 = 1;
/// What is supplied to a market stays below; from there on no interest is counted.
pub const SUPPLY_LIMIT: u64 = 1 << 59;
/// With shares of so many for what is supplied no interest is counted. A fee adds a third at most, so
/// with the virtual ones they stay below 2^62.
pub const SHARES_LIMIT: u64 = 1 << 61;
/// Supplies keep the shares, with the virtual ones, below: nobody stops the interest by a supply.
pub const SUPPLIED_SHARES_LIMIT: u64 = 1 << 60;
/// Seconds of a year.
pub const YEAR: u64 = 31_536_000;
/// The most seconds for which interest is counted at once.
pub const MAX_ELAPSED: u64 = (1 << 24) - 1;
/// The utilisation from which the second slope counts.
pub const KINK: u64 = 900_000;
/// The rate a year at the kink is less than 2^20 parts of a million.
pub const MAX_SLOPE1: u64 = (1 << 20) - 1;
/// What the second slope adds up to is less than 2^22 parts of a million.
pub const MAX_SLOPE2: u64 = (1 << 22) - 1;
/// The highest part of the interest that the market's fee is.
pub const MAX_FEE: u64 = 250_000;
/// The highest part of a collateral's value that may be owed.
pub const MAX_LLTV: u64 = 980_000;
/// The highest ratio of what a liquidator gets to what he pays.
pub const MAX_BONUS: u64 = 1_150_000;
/// Which part of what a collateral is worth above the highest debt goes into the bonus.
pub const BONUS_SHARE: u64 = 300_000;
/// Prices are below.
pub const PRICE_LIMIT: u64 = 1 << 61;
/// Seconds for which a price serves.
pub const PRICE_AGE: u64 = 3_600;
/// Bits of the seconds that a price may be late when it is written.
pub const PRICE_DELAY_BITS: u32 = 16;
/// Bits of what is a small number: a ratio, or seconds.
pub const SMALL_BITS: u32 = 32;
/// Markets lie below this index.
pub const MARKET_LIMIT: Index = u32::MAX - 1;

/// A number of the rules.
fn constant<M: Machine>(value: u64) -> M::E {
    M::E::from(F::from_u64(value))
}
