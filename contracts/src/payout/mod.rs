#![doc = include_str!("README.md")]

pub mod cancel;
mod list;
pub mod open;
pub mod pay;

pub use cancel::{CancelPayout, CancelPayoutLaw};
pub use list::{Entry, list_of};
pub use open::{Payout, PayoutLaw};
pub use pay::{MAX_PAID, Pay, PayLaw};

#[cfg(test)]
mod tests;
