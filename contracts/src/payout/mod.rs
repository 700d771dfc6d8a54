#![doc = include_str!("README.md")]

pub mod cancel;
mod list;
pub mod open;
pub mod pay;

pub use cancel::{CancelPayout, CancelPayoutLaw};
pub use list::{Entry, list_of};
pub use open::{Payout, PayoutLaw};
pub use pay::{MAX_PAID, Pay, PayLaw};

use crate::set::{Contracts, SetError};

/// Adds the contracts of payouts to a list.
///
/// # Errors
/// As [`Contracts::with`].
pub fn with_payouts(list: Contracts) -> Result<Contracts, SetError> {
    list.with(PayoutLaw)?.with(PayLaw)?.with(CancelPayoutLaw)
}

#[cfg(test)]
mod tests;
