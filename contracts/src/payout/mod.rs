#![doc = include_str!("README.md")]

pub mod cancel;
mod list;
pub mod open;
pub mod pay;

pub use cancel::{CancelPayout, CancelPayoutLaw};
pub use list::{Entry, list_of};
pub use open::{Payout, PayoutLaw};
pub use pay::{MAX_PAID, Pay, PayLaw};

use crate::machine::Reason;

/// A payout where none is.
static PAYOUT: Reason = Reason::new(
    "payout",
    "found a record of kind {found} at the payout's index, expected a payout",
);

#[cfg(test)]
mod tests;
